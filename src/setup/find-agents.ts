import { accessSync, constants, statSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { delimiter, isAbsolute, join } from "node:path";
import { createAcpExecutor, createCliExecutor, presets, type AgentPreset, type Preflight } from "../agents/index.ts";
import type { Config } from "../config/index.ts";
import type { EngineDeps } from "../engine/index.ts";

/** An agent that is installed and that no setting names. */
export interface FoundAgent {
  preset: AgentPreset;
  /** Where its program is. */
  program: string;
  preflight: Preflight;
  /** What to write into stepfall.yaml to use it. */
  settings: string;
}

/** Agents people have, by whether their program is in the PATH. Those that the settings use already are left out. */
export function agentsOnPath(
  path: string | undefined,
  config: Pick<Config, "agents">,
): { found: { preset: AgentPreset; program: string }[]; missing: AgentPreset[] } {
  const used = new Set(config.agents.flatMap((a) => (a.executor === "acp" || a.executor === "cli" ? [a.preset] : [])));
  const found: { preset: AgentPreset; program: string }[] = [];
  const missing: AgentPreset[] = [];
  for (const preset of Object.values(presets)) {
    if (preset.id === "acp" || used.has(preset.id)) continue;
    const program = inPath(preset.argv[0], path);
    if (program === undefined) missing.push(preset);
    else found.push({ preset, program });
  }
  return { found, missing };
}

function inPath(name: string, path: string | undefined): string | undefined {
  for (const folder of (path ?? "").split(delimiter)) {
    const file = join(folder, name);
    // A relative entry of the PATH means another folder for every program.
    if (!isAbsolute(folder)) continue;
    try {
      accessSync(file, constants.X_OK);
      if (statSync(file).isFile()) return file;
    } catch {
      continue;
    }
  }
  return undefined;
}

/**
 * Really starts each, as its user would: with their HOME and login, in an empty folder. No model is asked. What it says is then about
 * the login, too.
 */
export async function tryFoundAgents(
  deps: EngineDeps,
  found: readonly { preset: AgentPreset; program: string }[],
  scratch: string,
  signal: AbortSignal,
): Promise<FoundAgent[]> {
  return Promise.all(
    found.map(async ({ preset, program }) => {
      const folder = join(scratch, `found-${preset.id}`);
      await mkdir(folder, { recursive: true });
      const isDirect = preset.modes.includes("direct");
      const options = { preset, ...(isDirect ? { credentials: "direct" as const } : {}) };
      const executor = preset.executor === "acp" ? createAcpExecutor(options) : createCliExecutor(options);
      const preflight = await executor.preflight({
        host: deps.host,
        env: { ...deps.baseEnv, HOME: deps.userHome ?? folder, TMPDIR: folder, TERM: "dumb" },
        signal,
        scratch: folder,
      });
      return { preset, program, preflight, settings: settingsFor(preset, isDirect) };
    }),
  );
}

const settingsFor = ({ id, executor }: AgentPreset, isDirect: boolean): string =>
  `agents: { ${id}: { executor: ${executor}, preset: ${id}, ${isDirect ? "credentials: direct" : "model: PROVIDER/MODEL"} } }`;
