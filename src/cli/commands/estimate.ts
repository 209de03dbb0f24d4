import type { Config } from "../../config/index.ts";
import type { Pipeline, WorkStep } from "../../domain/index.ts";
import type { StepRouting } from "../../engine/index.ts";
import { estimateRun, routeStep, type Assignment, type Candidate, type PlannedStep, type RoutableAgent } from "../../models/index.ts";
import { learn, nothingLearnt, type Learnt } from "../../setup/learnt.ts";
import { thisHolder } from "../../setup/identity.ts";
import { complexityOf, pricesOf, routingFor, TYPICAL } from "../../setup/routing.ts";
import { openStoreIfThere } from "../../setup/store.ts";
import type { Project } from "../../workspace/index.ts";
import { Exit, type Cli } from "../cli.ts";
import { listPrices, maskData, readLedger } from "../../control/index.ts";
import { plannedSteps } from "../setup/planned-steps.ts";
import { integer } from "../show/format.ts";
import { estimateText, type EstimatedStep, type ToldEstimate } from "../show/cost-estimate.ts";

/** A pipeline that could be run now. */
export interface Estimable {
  pipeline: Pipeline;
  inputs: Readonly<Record<string, unknown>>;
  config: Config;
  project: Project;
  agents: () => readonly RoutableAgent[];
  /** Refuses what a run would refuse, and sets aside agents that lack something. */
  require: (routing: ReturnType<typeof routingFor>) => Promise<unknown>;
}

/** `--estimate`: what the run is expected to cost, and from what that is known. Starts nothing. */
export async function estimate(cli: Cli, { pipeline, inputs, config, project, agents, require }: Estimable): Promise<number> {
  const { learnt, prices, isMeasured } = await known(cli, config, project);
  const routing = routingFor(config, learnt);
  await require(routing);
  const { steps, notes } = plannedSteps(pipeline, inputs);
  const planned = steps.map((step) => planOf(step, { routing, agents: agents(), prices, learnt }));
  const estimated = estimateRun(planned, learnt.outcomes, learnt.gate);
  const figures = new Map(estimated.steps.map((s) => [s.path, s]));
  const isByList = planned.some(({ told }) => told.agent !== undefined && (told.learntFrom ?? 0) === 0);
  const told: ToldEstimate = {
    expectedMicroUsd: estimated.expected,
    range: { low: estimated.range.low, high: estimated.range.high, ...(isByList ? {} : { confidence: 0.8 }) },
    steps: planned.map((plan): EstimatedStep => {
      const figure = figures.get(plan.path);
      return { ...plan.told, ...(figure ? { expectedMicroUsd: figure.expected, expectedAttempts: figure.attempts } : {}) };
    }),
    unknown: estimated.unknown,
    method: estimated.method,
    prices: isMeasured
      ? "the calls of earlier attempts here, at each agent's prices"
      : `an attempt is taken for ${integer(TYPICAL.inputTokens)} tokens in and ${integer(TYPICAL.outputTokens)} out, which is assumed and not measured`,
    notes,
  };
  const masked = maskData(told, (text) => config.secrets.mask(text));
  if (cli.json) cli.out.json({ version: 1, pipeline: pipeline.name, ...masked });
  else cli.out.data(estimateText(masked));
  return Exit.ok;
}

interface Known {
  learnt: Learnt;
  prices: ReadonlyMap<string, number>;
  /** The prices are of calls that were made, not of a typical attempt. */
  isMeasured: boolean;
}

async function known(cli: Cli, config: Config, project: Project): Promise<Known> {
  const store = await openStoreIfThere(cli);
  if (!store) return { learnt: nothingLearnt(), prices: pricesOf(config), isMeasured: false };
  try {
    const { calls, outcomes } = await readLedger(cli, store, { project: project.top });
    const learnt = await learn(store, project.top, { holder: thisHolder(), clock: cli.clock });
    const measured = listPrices(config, calls, outcomes);
    return { learnt, prices: measured.size > 0 ? measured : pricesOf(config), isMeasured: measured.size > 0 };
  } finally {
    await store.close();
  }
}

interface Planned extends PlannedStep {
  told: EstimatedStep;
}

interface Planning {
  routing: (runId: string, step: string) => StepRouting;
  agents: readonly RoutableAgent[];
  prices: ReadonlyMap<string, number>;
  learnt: Learnt;
}

/** Who would try a step, one after the other: routing is asked as if each attempt before had been refused. */
function planOf(step: WorkStep, { routing, agents, prices, learnt }: Planning): Planned {
  const nobody = {
    path: step.path,
    candidates: [],
    attempts: 0,
    about: { type: "other", complexity: 1 },
    told: { step: step.path, kind: step.kind },
  };
  if (step.kind === "command") return nobody;
  const context = routing("", step.path);
  const candidates: Candidate[] = [];
  let type = "other";
  for (let reached: Assignment["reached"]; candidates.length < step.retry.attempts;) {
    const routed = routeStep(step, agents, context, { not: [], ...(reached ? { reached } : {}) });
    if (!routed.ok) break;
    const { tier, candidates: able, type: kind = type } = routed.route;
    const [id] = able;
    if (id === undefined) break;
    type = kind;
    candidates.push({ id, tier, listMicroUsd: prices.get(id) });
    reached = { tier, tries: reached?.tier === tier ? reached.tries + 1 : 1 };
  }
  const [first] = candidates;
  if (!first) return nobody;
  const complexity = complexityOf(step, learnt).score;
  const seen = learnt.outcomes.rows().filter((row) => row.agent === first.id);
  const told = {
    step: step.path,
    kind: step.kind,
    tier: first.tier,
    agent: first.id,
    later: [...new Set(candidates.map((c) => c.id))].slice(1),
    type,
    complexity,
    learntFrom: seen.length,
    ofThisType: seen.filter((row) => row.type === type).length,
  };
  return { path: step.path, candidates, attempts: step.retry.attempts, about: { type, complexity }, told };
}
