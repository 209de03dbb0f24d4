import { presets } from "../agents/index.ts";
import type { AgentSettings, Config } from "../config/index.ts";
import { stepsInside, workSteps, type Pipeline, type Step, type WorkStep } from "../domain/index.ts";
import type { EngineDeps } from "../engine/index.ts";
import { routeStep } from "../models/index.ts";
import { limitsAnything } from "./budgets.ts";
import { RequestError } from "./failure.ts";
import { whyNotFound } from "./found-agents.ts";
import { judgesNeeded, pickersNeeded, type JudgesNeeded } from "./judges-needed.ts";
import { chainOf, isGatewayAgent, priceFor, providerOf, type GatewayAgent } from "./registry.ts";
import { mayTranslate, speakerOf } from "./wire-formats.ts";

/** Agents that a run will use, and those it can only come to when results are refused. */
export interface NeededAgents {
  first: readonly string[];
  later: readonly string[];
  /** Of the first those that nobody wrote into the settings, and the candidates of each step. Absent: all of the first must work. */
  found?: { ids: readonly string[]; byStep: readonly (readonly string[])[] };
}

/** Which of the agents that do not start a run cannot do without: the settings' own, and found ones where no other may do a step. */
export function missed({ first, found }: NeededAgents, failed: ReadonlySet<string>): string[] {
  const alone = new Set(found?.byStep.filter((candidates) => candidates.every((id) => failed.has(id))).flat());
  return first.filter((id) => failed.has(id) && (alone.has(id) || found?.ids.includes(id) !== true));
}

export const allOf = ({ first, later }: NeededAgents): string[] => [...first, ...later];

/**
 * What a pipeline needs of this machine, checked before anything is created: an agent for every step, a key for every provider, a price for
 * every model that a budget shall hold. An agent of a higher tier that lacks something is set aside, and `tell` hears why.
 */
export function checkRequirements(
  pipeline: Pipeline,
  config: Config,
  { registry, routing }: Pick<EngineDeps, "registry" | "routing">,
  tell: (notice: string) => void = () => undefined,
): NeededAgents {
  registry.takeBack();
  const first = new Set<string>();
  const later = new Set<string>();
  const byStep: (readonly string[])[] = [];
  const unroutable: { problem: string; hint: string }[] = [];
  const addJudges = ({ named, chosen, problems }: JudgesNeeded): void => {
    unroutable.push(...problems);
    for (const id of named) first.add(id);
    for (const id of chosen) later.add(id);
  };
  for (const step of workSteps(pipeline.steps)) {
    const routed = routeStep(step, registry.list(), routing("", step.path));
    if (!routed.ok) {
      const lacks = step.kind === "agent" && step.agent.id !== undefined ? whyNotFound(step.agent.id, config) : undefined;
      unroutable.push(lacks === undefined ? routed : { ...routed, hint: `It ${lacks}. \`stepfall models\` shows what there is.` });
      continue;
    }
    byStep.push(routed.route.candidates);
    for (const id of routed.route.candidates) first.add(id);
    for (const id of routed.route.later) later.add(id);
    addJudges(judgesNeeded(step, routed.route.candidates, registry, config.tiers));
  }
  const candidatesOf = (step: WorkStep): readonly string[] => {
    const routed = routeStep(step, registry.list(), routing("", step.path));
    return routed.ok ? routed.route.candidates : [];
  };
  addJudges(pickersNeeded(pipeline.steps, candidatesOf, registry, config.tiers));
  if (unroutable.length > 0) {
    const problems = [...new Set(unroutable.map((u) => u.problem))];
    throw new RequestError(
      "STEP_NOT_ROUTABLE",
      problems.slice(0, 10).join(". "),
      [...new Set(unroutable.map((u) => u.hint))].slice(0, 3).join(" "),
    );
  }
  const isLimited = pipeline.budget !== undefined || limitsSteps(pipeline.steps);
  const hasBudget = isLimited || limitsAnything(config.budgets);
  const agents = config.agents.filter((a) => first.has(a.id));
  for (const agent of agents) checkAgent(agent, config);
  if (hasBudget) checkPrices(agents, config);
  for (const agent of config.agents) {
    if (first.has(agent.id) || !later.has(agent.id)) continue;
    try {
      checkAgent(agent, config);
      if (hasBudget) checkPrices([agent], config);
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      later.delete(agent.id);
      registry.setAside(agent.id, error.message);
      tell(`${agent.id} (${agent.tier}) is left out: ${error.message}`);
    }
  }
  const found = { ids: [...first].filter((id) => config.origins[`agents.${id}`]?.kind === "found"), byStep };
  return { first: [...first], later: [...later].filter((id) => !first.has(id)), ...(found.ids.length > 0 ? { found } : {}) };
}

/** A step's budget, or a group's. */
const limitsSteps = (steps: readonly Step[]): boolean =>
  steps.some((s) => s.budget !== undefined || (s.kind === "group" && limitsSteps(stepsInside(s.body))));

function checkAgent(agent: AgentSettings, config: Config): void {
  checkOwn(agent, config);
  if (isGatewayAgent(agent)) for (const model of chainOf(agent)) checkProvider({ ...agent, ...model }, config);
}

function checkPrices(agents: readonly AgentSettings[], config: Config): void {
  const unpriced = agents
    .filter(isGatewayAgent)
    .flatMap((a) => chainOf(a).map((model) => ({ id: a.id, ...model })))
    .filter((a) => !priceFor(a, providerOf(a, config)));
  if (unpriced.length === 0) return;
  const names = unpriced.map((a) => `${a.provider}/${a.model}`).join(", ");
  throw new RequestError(
    "STEP_WITHOUT_PRICE",
    `there is a budget, and nobody knows the price of ${names}`,
    `Write it into stepfall.yaml: providers: { ${unpriced[0]?.provider}: { prices: { ${JSON.stringify(unpriced[0]?.model)}: { input: ..., output: ... } } } } (USD per million tokens), or leave the budget out.`,
  );
}

/** What an agent needs of its own: a program that can work with the credentials it is given, a token for one elsewhere. */
function checkOwn(agent: AgentSettings, { secrets }: Config): void {
  if (agent.executor === "http" && agent.tokenEnv !== undefined && secrets.get(agent.tokenEnv) === undefined)
    throw new RequestError(
      "PROVIDER_NOT_READY",
      `agent ${agent.id} has no token: ${agent.tokenEnv} is not set`,
      `Set ${agent.tokenEnv} in the environment or in the dotenv file.`,
    );
  if (agent.executor !== "acp" && agent.executor !== "cli") return;
  const preset = presets[agent.preset];
  if (preset.modes.includes(agent.credentials)) return;
  throw new RequestError(
    "CREDENTIALS_UNSUPPORTED",
    `agent ${agent.id}: ${preset.name} does not work with credentials: ${agent.credentials}: ${preset.unsupported ?? ""}`,
    `Use credentials: ${preset.modes.join(" or ")}.`,
  );
}

/** A key where ours is used; else a provider that speaks what the program speaks: its own login is not translated for. */
function checkProvider(agent: GatewayAgent, config: Config): void {
  const provider = providerOf(agent, config);
  if (mayTranslate(agent) && !provider.ready.ok)
    throw new RequestError("PROVIDER_NOT_READY", `agent ${agent.id}: ${provider.ready.problem}`, provider.ready.hint);
  const { name, format } = speakerOf(agent);
  if (mayTranslate(agent) || provider.protocols.includes(format)) return;
  throw new RequestError(
    "PROTOCOL_MISMATCH",
    `agent ${agent.id}: ${name} speaks ${format} to its model, and the provider ${provider.id} speaks ${provider.protocols.join(", ")}`,
    `With a login of its own nothing is translated. Give the agent a model at a provider that speaks ${format}, write \`protocol\` under providers.${provider.id} if it does, or use credentials: metered.`,
  );
}
