import { randomBytes } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { ulid } from "ulid";
import { serveAgent as serve, type TaskLease } from "../../agents/index.ts";
import { projectKey, sharedLimits } from "../../engine/index.ts";
import { importSpool } from "../../models/index.ts";
import { openProject } from "../../workspace/index.ts";
import { Exit, type Cli } from "../cli.ts";
import { onInterrupts } from "../driving/signals.ts";
import { RequestError } from "../../setup/failure.ts";
import { assemble, type Assembled } from "../../setup/assemble.ts";
import { withFound } from "../../setup/found-agents.ts";
import { requirePreflight } from "../../setup/preflight.ts";
import { buildRegistry } from "../../setup/registry.ts";
import { ScriptedModels } from "../../setup/scripted-models.ts";
import { homeOf, loadSettings } from "../../setup/settings.ts";

export interface ServeFlags {
  port?: string | undefined;
  tokenEnv?: string | undefined;
}

const SHORTEST_TOKEN = 16;

/** `stepfall serve-agent AGENT`: offers an agent of the settings to others over A2A, until it is interrupted. */
export async function serveAgent(cli: Cli, agent: string, flags: ServeFlags): Promise<number> {
  const port = portOf(flags.port);
  const given = flags.tokenEnv === undefined ? undefined : cli.env[flags.tokenEnv];
  if (flags.tokenEnv !== undefined && (given === undefined || given.length < SHORTEST_TOKEN))
    throw new RequestError(
      "USAGE",
      `$${flags.tokenEnv} ${given === undefined ? "is not set" : "is too short for a token"}`,
      `Set it to at least ${SHORTEST_TOKEN} characters, or leave --token-env out: a token is made then.`,
    );
  const project = await openProject(cli.cwd, { env: cli.env }).catch(() => undefined);
  const settings = await loadSettings(cli, { project, ...(flags.tokenEnv ? { secrets: [flags.tokenEnv] } : {}) });
  const isOurs = settings.agents.some((a) => a.id === agent);
  const config = isOurs ? settings : await withFound(cli, settings, "servers");
  const runId = `served-${ulid(cli.clock.now()).toLowerCase()}`;
  const scripted = new ScriptedModels(homeOf(cli), runId);
  const registry = buildRegistry(config, scripted.urls);
  if (!registry.has(agent) || !registry.get(agent).takesPrompts)
    throw new RequestError(
      "USAGE",
      `there is no agent ${agent} in the settings`,
      `Agents: ${config.agents.map((a) => a.id).join(", ") || "none; write one into stepfall.yaml"}.`,
    );
  using interrupts = onInterrupts(process, { graceMs: config.graceMs, now: () => cli.clock.now() });
  await using assembled = await assemble(cli, {
    config,
    project: undefined,
    cacheId: project?.id ?? runId,
    registry,
    scripted,
    keepWorkspaces: false,
  });
  cli.out.note(`checking that ${agent} can be started`);
  await scripted.start(config, [agent]);
  await requirePreflight(assembled.deps, runId, { first: [agent], later: [] }, interrupts.drain);
  const folder = join(config.home, "served");
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const token = given ?? randomBytes(24).toString("base64url");
  const served = await serve({
    executor: registry.get(agent).executor.executor,
    host: assembled.deps.host,
    name: agent,
    token,
    port,
    folder,
    slots: config.slots,
    lease: (attempt) => leaseTask(assembled, runId, agent, attempt, project?.top),
    onEvent: (text) => cli.out.note(config.secrets.mask(text)),
  });
  try {
    cli.out.note(`${agent} is offered over A2A on this machine only; Ctrl-C ends it`);
    // Whoever started this needs the token once; a given one is known already.
    if (cli.json) cli.out.json({ version: 1, url: served.url, ...(given === undefined ? { token } : {}) });
    else cli.out.data(given === undefined ? `${served.url}\ntoken: ${token}` : served.url);
    await new Promise<void>((resolve) => {
      if (interrupts.drain.aborted) resolve();
      interrupts.drain.addEventListener("abort", () => resolve(), { once: true });
    });
    return Exit.ok;
  } finally {
    await served.close();
  }
}

/** Each task is billed to a key of its own, as an attempt is. */
async function leaseTask({ deps }: Assembled, runId: string, agent: string, task: string, project: string | undefined): Promise<TaskLease> {
  const { executor: execution, tier } = deps.registry.get(agent);
  const env = { ...deps.baseEnv, TERM: "dumb" };
  const { credentials, upstreams } = execution;
  const mode = credentials === undefined ? {} : { credentials };
  if (!upstreams) return { env, ...mode, release: async () => {} };
  const gateway = await deps.gateway();
  const open = await gateway.openKey({
    runId,
    attempt: `${runId}/${task.replace(/[^\w.-]+/g, "-")}#1`,
    agent,
    tier,
    upstreams,
    budgets: await sharedLimits(deps, project),
    ...(project === undefined ? {} : { project: projectKey(project) }),
    maxOutputTokens: execution.maxOutputTokens,
    ...(execution.quota ? { quota: execution.quota } : {}),
    ...(credentials === "pass-through" ? { credentials } : {}),
  });
  return {
    env,
    ...mode,
    gateway: { url: open.url, key: open.key, model: open.model },
    release: async () => {
      await gateway.closeKey(open.key);
      await importSpool({ spoolPath: gateway.spool, store: deps.store });
    },
  };
}

function portOf(text: string | undefined): number {
  const port = text === undefined ? 0 : /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isNaN(port) || port > 65_535)
    throw new RequestError("USAGE", `--port ${text} is not a port`, "Give a number up to 65535, or 0 for any.");
  return port;
}
