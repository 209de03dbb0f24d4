import { createHash } from "node:crypto";
import {
  attemptBudgetId,
  budgetName,
  parseBudgetId,
  periodBudgetId,
  periodStart,
  runBudgetId,
  stepBudgetId,
  type BudgetPause,
  type MicroUsd,
  type PeriodLimit,
  type RunEvent,
  type RunState,
} from "../domain/index.ts";
import { costOf, type BudgetLimit } from "../models/index.ts";
import type { AgentExecution, EngineDeps } from "./contract.ts";
import { spentOn } from "./spending.ts";

/** What a project's accounts are called after. */
export const projectKey = (project: string): string => createHash("sha256").update(project).digest("hex").slice(0, 12);

type Sources = Pick<EngineDeps, "store" | "clock" | "budgets">;

/** The limits that all runs share, and all of a project, if there is one, with what the ledger knows as spent in their periods. */
export async function sharedLimits({ store, clock, budgets }: Sources, project: string | undefined): Promise<BudgetLimit[]> {
  const now = clock.now();
  const limitOf = async (of: string, { limit, per }: PeriodLimit, within?: string): Promise<BudgetLimit> => {
    const id = periodBudgetId(of, per, now);
    const spent = await store.spent({ since: periodStart(per, now), ...(within === undefined ? {} : { project: within }) });
    return { id, limit: await raisedTo({ store }, id, limit), spent };
  };
  return Promise.all([
    ...(budgets?.fleet ?? []).map((limit) => limitOf("fleet", limit)),
    ...(project === undefined ? [] : (budgets?.project ?? []).map((limit) => limitOf(`project:${projectKey(project)}`, limit, project))),
  ]);
}

/** A person's raise counts for the limit it was given for: one that the settings change afterwards is as they say. */
async function raisedTo({ store }: Pick<Sources, "store">, id: string, settings: MicroUsd): Promise<MicroUsd> {
  const stream = parseBudgetId(id)?.stream;
  let limit = settings;
  for (const { event } of stream === undefined ? [] : await store.read(stream))
    if (event.type === "BudgetRaised" && event.data.id === id && event.data.from === limit) ({ limit } = event.data);
  return limit;
}

/** What is held by budgets. */
export interface Spender {
  attempt: string;
  step: { path: string };
  state: Pick<RunState, "runId" | "project" | "budget" | "budgets" | "stepBudgets" | "steps">;
}

/** Every limit that holds an attempt, the widest first: fleet, project, run, the groups around its step, the step, the attempt itself. */
export async function limitsOf(deps: Sources, { attempt, step, state }: Spender): Promise<BudgetLimit[]> {
  const { runId } = state;
  const own: { id: string; limit: MicroUsd | undefined; path?: string }[] = [];
  for (let at = state.steps.get(step.path)?.step; at; at = at.parent === undefined ? undefined : state.steps.get(at.parent)?.step)
    own.unshift({
      id: stepBudgetId(runId, at.path),
      limit: state.stepBudgets.get(at.path) ?? limitOfStep(at, state.budgets.step),
      path: at.path,
    });
  own.unshift({ id: runBudgetId(runId), limit: state.budget });
  const ofAttempt = state.steps.get(step.path)?.attemptBudget ?? state.budgets.attempt;
  const shared = await sharedLimits(deps, state.project);
  if (ofAttempt === undefined && own.every(({ limit }) => limit === undefined)) return shared;
  const spent = await spentOn(deps.store, runId);
  const narrow = own.flatMap(({ id, limit, path }) =>
    limit === undefined ? [] : [{ id, limit, spent: path === undefined ? spent.total : spent.below(path) }],
  );
  const last = ofAttempt === undefined ? [] : [{ id: attemptBudgetId(attempt), limit: ofAttempt, spent: spent.by(attempt) }];
  return [...shared, ...narrow, ...last];
}

/** The settings bound what a step may say itself; a group's budget is its own affair. */
function limitOfStep(step: { kind: string; budget?: number | undefined }, most: MicroUsd | undefined): MicroUsd | undefined {
  if (most === undefined || step.kind === "group") return step.budget;
  return Math.min(most, step.budget ?? most);
}

/** Money for an attempt that is about to begin. */
export type SetAside =
  | { kind: "held"; release(): Promise<void> }
  /** It needs none, or nothing limits it; or it is to end before there was any. */
  | { kind: "none" }
  /** A budget has nothing left for it: what is recorded in its place. */
  | { kind: "not-begun"; events: RunEvent[] };

/**
 * Sets aside what an attempt may spend, in every budget that holds it, before it begins; waits while other attempts hold what is missing. They share
 * one budget without one of them finding it spent in the middle of its work.
 */
export async function setAside(
  deps: Sources & Pick<EngineDeps, "gateway" | "onFeed">,
  spender: Spender,
  execution: AgentExecution,
  over: AbortSignal,
): Promise<SetAside> {
  const { attempt, state, step } = spender;
  if (!execution.upstreams || execution.upstreams.some(({ price }) => price && isFree(price))) return { kind: "none" };
  const budgets = await limitsOf(deps, spender);
  const amount = shareOf(execution, budgets, attempt);
  if (amount === undefined) return { kind: "none" };
  const notBegun = (spent: BudgetLimit): SetAside => ({
    kind: "not-begun",
    events: [
      { type: "AttemptInterrupted", data: { attempt, step: step.path, because: "a budget has nothing left for it" } },
      exhaustedEvent(spent, step.path),
    ],
  });
  const spent = budgets.find((l) => l.limit - l.spent < 1);
  if (spent) return notBegun(spent);
  const tell = (id: string): void => {
    const text = `waits until other attempts give back money of ${budgetName(id)}`;
    deps.onFeed?.({ kind: "progress", at: deps.clock.now(), attempt, step: step.path, text, isNotice: true });
  };
  const gateway = await deps.gateway();
  const spec = { runId: state.runId, attempt, project: projectKey(state.project), budgets, amount };
  const held = await gateway.hold(spec, over, tell);
  if (held.kind === "exhausted") return notBegun(held);
  return held.kind === "held" ? held : { kind: "none" };
}

/**
 * What is set aside for an attempt: its own limit; where it has none, the price of the longest answer it may ask for. `undefined`: nothing
 * limits it.
 */
export function shareOf(execution: AgentExecution, budgets: readonly BudgetLimit[], attempt: string): MicroUsd | undefined {
  if (budgets.length === 0 || !execution.upstreams) return undefined;
  const own = budgets.find(({ id }) => id === attemptBudgetId(attempt));
  if (own) return Math.max(0, own.limit - own.spent);
  const [{ price }] = execution.upstreams;
  return costOf({ inputTokens: 0, cachedInputTokens: 0, outputTokens: execution.maxOutputTokens }, price);
}

const isFree = (price: { input: MicroUsd; output: MicroUsd }): boolean => price.input === 0 && price.output === 0;

/** `step`: whose attempt found it out. */
export function exhaustedEvent(
  { id, limit, spent, needed }: { id: string; limit: MicroUsd; spent: MicroUsd; needed?: MicroUsd | undefined },
  step: string,
): RunEvent {
  const account = parseBudgetId(id);
  const of = account?.scope === "step" && account.step !== undefined ? account.step : step;
  const scope = account?.scope ?? "run";
  return { type: "BudgetExhausted", data: { scope, id, step: of, limit, spent, ...(needed === undefined ? {} : { needed }) } };
}

/** Pauses by limits that are no more what they were: a person has raised them for another run, or the settings say something else now. */
export async function liftedPauses(deps: Sources, state: Pick<RunState, "project" | "pauses">): Promise<RunEvent[]> {
  const shared = [...state.pauses.values()].filter((p) => p.scope === "fleet" || p.scope === "project");
  if (shared.length === 0) return [];
  const limits = await sharedLimits(deps, state.project);
  return shared.flatMap((pause) => {
    const because = whyLifted(pause, limits);
    return because === undefined ? [] : [{ type: "BudgetLifted" as const, data: { id: pause.id, because } }];
  });
}

function whyLifted(pause: BudgetPause, limits: readonly BudgetLimit[]): string | undefined {
  const now = limits.find((l) => l.id === pause.id);
  if (!now) return "it does not count any more";
  return now.limit > pause.limit ? "its limit is higher now" : undefined;
}
