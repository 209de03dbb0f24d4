import { presets } from "../agents/index.ts";
import type { AgentSettings, Config } from "../config/index.ts";
import { workSteps, type Pipeline } from "../domain/index.ts";
import type { AgentExecution } from "../engine/index.ts";
import type { Registry } from "../fleet/index.ts";
import { routeStep } from "../models/index.ts";
import { RequestError } from "./failure.ts";
import { isGatewayAgent, priceFor, providerOf, type GatewayAgent } from "./registry.ts";

/**
 * What a pipeline needs of this machine, checked before anything is created: an agent for every step, a key for every provider, a price for
 * every model that a budget shall hold. Answers the ids of the agents it will use.
 */
export function checkRequirements(pipeline: Pipeline, config: Config, registry: Registry<AgentExecution>): string[] {
  const needed = new Set<string>();
  const unroutable: { problem: string; hint: string }[] = [];
  for (const step of workSteps(pipeline.steps)) {
    const routed = routeStep(step, registry.list(), config.defaultAgent);
    if (routed.ok) for (const id of routed.route.candidates) needed.add(id);
    else unroutable.push(routed);
  }
  if (unroutable.length > 0) {
    const problems = [...new Set(unroutable.map((u) => u.problem))];
    throw new RequestError(
      "STEP_NOT_ROUTABLE",
      problems.slice(0, 10).join(". "),
      [...new Set(unroutable.map((u) => u.hint))].slice(0, 3).join(" "),
    );
  }
  const agents = config.agents.filter((a) => needed.has(a.id));
  for (const agent of agents) checkOwn(agent, config);
  const metered = agents.filter(isGatewayAgent);
  for (const agent of metered) checkProvider(agent, config);
  const hasBudget = pipeline.budget !== undefined || [...workSteps(pipeline.steps)].some((s) => s.budget !== undefined);
  const unpriced = hasBudget ? metered.filter((a) => !priceFor(a, providerOf(a, config))) : [];
  if (unpriced.length > 0) {
    const names = unpriced.map((a) => `${a.provider}/${a.model}`).join(", ");
    throw new RequestError(
      "STEP_WITHOUT_PRICE",
      `there is a budget, and nobody knows the price of ${names}`,
      `Write it into stepfall.yaml: providers: { ${unpriced[0]?.provider}: { prices: { ${JSON.stringify(unpriced[0]?.model)}: { input: ..., output: ... } } } } (USD per million tokens), or leave the budget out.`,
    );
  }
  return [...needed];
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

/** A key where ours is used, and a provider that speaks what the program speaks: the gateway translates nothing. */
function checkProvider(agent: GatewayAgent, config: Config): void {
  const provider = providerOf(agent, config);
  const isOurs = agent.executor === "chat" || agent.credentials === "metered";
  if (isOurs && !provider.ready.ok)
    throw new RequestError("PROVIDER_NOT_READY", `agent ${agent.id}: ${provider.ready.problem}`, provider.ready.hint);
  const { name, format } = agent.executor === "chat" ? { name: "the chat agent", format: "chat" as const } : presets[agent.preset];
  if (provider.protocols.includes(format)) return;
  throw new RequestError(
    "PROTOCOL_MISMATCH",
    `agent ${agent.id}: ${name} speaks ${format} to its model, and the provider ${provider.id} speaks ${provider.protocols.join(", ")}`,
    `Give the agent a model at a provider that speaks ${format}, or write \`protocol\` under providers.${provider.id} if it does.`,
  );
}
