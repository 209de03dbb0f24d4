import type { ChatAgentSettings, Config } from "../../config/index.ts";
import { workSteps, type Pipeline } from "../../domain/index.ts";
import type { AgentExecution } from "../../engine/index.ts";
import type { Registry } from "../../fleet/index.ts";
import { routeStep } from "../../models/index.ts";
import { CliError } from "../failure.ts";
import { priceFor, providerOf } from "./registry.ts";

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
    throw new CliError(
      "STEP_NOT_ROUTABLE",
      problems.slice(0, 10).join(". "),
      [...new Set(unroutable.map((u) => u.hint))].slice(0, 3).join(" "),
    );
  }
  const chats = config.agents.filter((a): a is ChatAgentSettings => a.executor === "chat" && needed.has(a.id));
  for (const agent of chats) {
    const { ready } = providerOf(agent, config);
    if (!ready.ok) throw new CliError("PROVIDER_NOT_READY", `agent ${agent.id}: ${ready.problem}`, ready.hint);
  }
  const hasBudget = pipeline.budget !== undefined || [...workSteps(pipeline.steps)].some((s) => s.budget !== undefined);
  const unpriced = hasBudget ? chats.filter((a) => !priceFor(a, providerOf(a, config))) : [];
  if (unpriced.length > 0) {
    const names = unpriced.map((a) => `${a.provider}/${a.model}`).join(", ");
    throw new CliError(
      "STEP_WITHOUT_PRICE",
      `there is a budget, and nobody knows the price of ${names}`,
      `Write it into stepfall.yaml: providers: { ${unpriced[0]?.provider}: { prices: { ${JSON.stringify(unpriced[0]?.model)}: { input: ..., output: ... } } } } (USD per million tokens), or leave the budget out.`,
    );
  }
  return [...needed];
}
