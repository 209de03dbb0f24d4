import { nearest, type AgentSettings, type Config } from "../../config/index.ts";
import type { EngineDeps } from "../../engine/index.ts";
import type { Workload } from "../../planning/index.ts";
import { RequestError } from "../../setup/failure.ts";
import { preflightAgents } from "../../setup/preflight.ts";
import { checkRequirements } from "../../setup/requirements.ts";
import { whyNotFound } from "../../setup/found-agents.ts";
import { pipelineOf } from "./run-cells.ts";

export interface Chosen {
  agents: readonly AgentSettings[];
  /** A person named them: one that does not work ends everything. Else it is left out. */
  isNamed: boolean;
}

/**
 * Who is tried: those that are named, in the command or in the file. Else those of the settings; where these have none, those that were found. Throws
 * USAGE for one that nobody knows.
 */
export function chooseAgents(config: Config, named: readonly string[] | undefined): Chosen {
  if (named === undefined) {
    const own = config.agents.filter((a) => config.origins[`agents.${a.id}`]?.kind !== "found");
    const agents = own.length > 0 ? own : config.agents;
    if (agents.length > 0) return { agents, isNamed: false };
    throw new RequestError(
      "STEP_NOT_ROUTABLE",
      "no agent is registered",
      "Name a model: --model PROVIDER/MODEL, or agents in stepfall.yaml.",
    );
  }
  const ids = config.agents.map((a) => a.id);
  const agents = named.map((id) => {
    const agent = config.agents.find((a) => a.id === id);
    if (agent) return agent;
    const lacks = whyNotFound(id, config);
    const near = nearest(id, ids);
    throw new RequestError(
      "USAGE",
      `there is no agent ${id}${lacks === undefined ? "" : `: it ${lacks}`}`,
      near === undefined ? `There are: ${ids.join(", ") || "none"}.` : `Did you mean ${near}?`,
    );
  });
  return { agents, isNamed: true };
}

interface Trial {
  workload: Workload;
  config: Config;
  deps: EngineDeps;
  tell: (notice: string) => void;
}

/** Those that have all they need in the settings: a key, a price where there is a budget. */
export function fitAgents({ agents, isNamed }: Chosen, { workload, config, deps, tell }: Trial): AgentSettings[] {
  const [task] = workload.tasks;
  return agents.filter(({ id }) => {
    if (!task) return false;
    try {
      checkRequirements(pipelineOf(workload.name, task, id), config, deps);
      return true;
    } catch (error) {
      if (isNamed || !(error instanceof RequestError)) throw error;
      tell(`${id} is left out: ${error.message}`);
      return false;
    }
  });
}

/** Those that really start, each tried once. Throws PREFLIGHT_FAILED for one that is named, and where none is left. */
export async function startableAgents(
  agents: readonly AgentSettings[],
  { isNamed }: Chosen,
  { deps, tell }: Pick<Trial, "deps" | "tell">,
  { runId, signal }: { runId: string; signal: AbortSignal },
): Promise<AgentSettings[]> {
  const ids = agents.map((a) => a.id);
  const results = await preflightAgents(deps, runId, ids, AbortSignal.any([signal, AbortSignal.timeout(60_000)]));
  if (signal.aborted) throw new RequestError("INTERRUPTED", "interrupted before anything was started", "", 130);
  const works = new Set<string>();
  for (const { agent, preflight } of results) {
    if (preflight.ok) works.add(agent);
    else if (isNamed)
      throw new RequestError("PREFLIGHT_FAILED", `agent ${agent} does not work: ${deps.mask(preflight.problem)}`, preflight.hint, 1);
    else tell(`${agent} is left out: it does not work: ${deps.mask(preflight.problem)}`);
  }
  if (works.size === 0) throw new RequestError("PREFLIGHT_FAILED", "no agent works", "`stepfall doctor` shows what was found.", 1);
  return agents.filter((a) => works.has(a.id));
}
