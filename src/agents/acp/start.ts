import type { CredentialMode } from "../../domain/index.ts";
import type { AgentHandle, ExecutionContext } from "../contract.ts";
import type { AgentPreset, AgentSetup, SetupInput } from "../presets/contract.ts";
import { writeSetup } from "../presets/write.ts";

export interface AcpExecutorOptions {
  preset: AgentPreset;
  /** Instead of the preset's. */
  command?: readonly [string, ...string[]] | undefined;
  /** The provider's name for the model, where the gateway does not choose it: `pass-through` and `direct`. */
  model?: string | undefined;
  /** Added to the environment last. No secrets. */
  env?: Readonly<Record<string, string>> | undefined;
  /** When the context does not say. Default `metered`. */
  credentials?: CredentialMode | undefined;
  /** How long a cancelled agent may take to say goodbye, and with it what it used. Default 1500 ms. */
  cancelMs?: number | undefined;
}

/** How long a cancelled agent may take, unless the options say. */
export const CANCEL_MS = 1500;

/** A reasonable agent starts in a few seconds. */
export const PREFLIGHT_MS = 45_000;

type Started = { ok: true; handle: AgentHandle; hasMcp: boolean } | { ok: false; problem: string; hint: string };

/** Writes the agent's settings and starts its process, with a connection still to be made. */
export async function start(
  options: AcpExecutorOptions,
  context: Pick<ExecutionContext, "host" | "env" | "gateway" | "credentials">,
  tools: Pick<SetupInput, "mcp" | "isFree">,
  where: { attempt: string; role: string; cwd: string; home: string; deadlineMs: number; transcript: string },
): Promise<Started> {
  const { preset } = options;
  const mode = context.credentials ?? options.credentials ?? "metered";
  if (!preset.modes.includes(mode))
    return { ok: false, problem: `${preset.name} does not work with credentials: ${mode}`, hint: `${preset.unsupported ?? ""}.` };
  const { gateway } = context;
  if (mode !== "direct" && !gateway)
    return {
      ok: false,
      problem: `${preset.name} has no gateway to reach its model by`,
      hint: "Give the agent a model, or use credentials: direct.",
    };
  const { home, ...rest } = where;
  const model = mode === "metered" ? gateway?.model : options.model;
  const setup = preset.setup({ mode, home, ...(gateway ? { gateway } : {}), ...(model === undefined ? {} : { model }), ...tools });
  try {
    await writeSetup(setup);
  } catch (error) {
    return {
      ok: false,
      problem: `the agent's settings could not be written: ${(error as Error).message}`,
      hint: "Is there room below its HOME?",
    };
  }
  const handle = await context.host.spawn({
    ...rest,
    argv: commandLine(options, setup),
    env: { ...context.env, HOME: home, ...setup.env, ...options.env },
    stdin: "open",
  });
  return { ok: true, handle, hasMcp: setup.hasMcp === true };
}

function commandLine({ preset, command }: AcpExecutorOptions, setup: AgentSetup): readonly [string, ...string[]] {
  const [program, ...args] = command ?? preset.argv;
  return [program, ...args, ...setup.args];
}
