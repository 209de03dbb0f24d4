import { isOver, type Finding, type RunState, type StepState } from "../domain/index.ts";
import type { DriveEnd } from "../engine/index.ts";
import { billOf, type Bill, type OwnWord } from "../models/index.ts";
import { pipelineOutputs, type Scope, type StepResult } from "../pipeline/index.ts";
import type { InboxRow, Store } from "../store/index.ts";
import type { DiffStat, Workspaces } from "../workspace/index.ts";

/** How one step ended, or where it stands when the run is not over. */
export interface StepOutcome {
  kind: "agent" | "command" | "approve" | "ask" | "group";
  status: StepState["status"];
  /** Why it failed or was skipped. */
  because?: string;
  /** Its JSON; a typed pipeline's `outputs` have these with their types. */
  output?: unknown;
  /** The last words of its agent. */
  summary?: string;
  /** The agent of its last attempt. */
  agent?: string;
  /** How many began. */
  attempts: number;
  /** Why its last attempt was refused. */
  findings: readonly Finding[];
}

interface Told {
  runId: string;
  because?: string;
  /** By path; children of a group stand below it: `parts/a`. */
  steps: Readonly<Record<string, StepOutcome>>;
  /** Every token and micro-dollar. */
  bill: Bill;
  /** `stepfall/<runId>`: holds what was merged. */
  branch: string;
  base: string;
  /** The commit the branch stands at. */
  tip: string;
  /** What changed between the two. */
  diff: DiffStat;
}

/** What a run came to. Only a run that succeeded has all outputs of its pipeline. */
export type RunResult<O = unknown> = Told &
  (
    | { outcome: "succeeded"; outputs: O }
    | { outcome: "failed" | "cancelled"; outputs: Partial<O> }
    /** Not over: its budget is spent. `resume` with a higher one goes on. */
    | { outcome: "budget"; outputs: Partial<O>; limit: number; spent: number }
    /** Not over: only people are waited for. */
    | { outcome: "waiting"; outputs: Partial<O>; items: readonly InboxRow[] }
    /** Not over: `close` or `stop` ended it here, or another process drives it now. `resume` goes on. */
    | { outcome: "stopped"; outputs: Partial<O> }
  );

export async function resultOf<O>(end: DriveEnd, state: RunState, from: { store: Store; workspaces: Workspaces }): Promise<RunResult<O>> {
  const { store, workspaces } = from;
  const tip = await workspaces.tip({ runId: state.runId, name: state.branch });
  const told: Told = {
    runId: state.runId,
    ...(state.because === undefined ? {} : { because: state.because }),
    steps: Object.fromEntries([...state.steps].map(([path, step]) => [path, outcomeOf(step)])),
    bill: await billOf(store, state.runId, saidIn(state)),
    branch: state.branch,
    base: state.base,
    tip,
    diff: await workspaces.diffStat(state.base, tip),
  };
  const partial = outputsOf(state) as Partial<O>;
  switch (end.kind) {
    case "finished":
      return end.outcome === "succeeded"
        ? { ...told, outcome: end.outcome, outputs: partial as O }
        : { ...told, outcome: end.outcome, outputs: partial };
    case "budget":
      return { ...told, outcome: "budget", outputs: partial, limit: end.limit, spent: end.spent };
    case "people":
      return { ...told, outcome: "waiting", outputs: partial, items: await store.listInbox({ runId: state.runId }) };
    case "stopped":
    case "taken-over":
      return { ...told, outcome: "stopped", outputs: partial };
    default:
      return end satisfies never;
  }
}

function outcomeOf(step: StepState): StepOutcome {
  const last = step.attempts.at(-1);
  return {
    kind: step.step.kind,
    status: step.status,
    ...(step.because === undefined ? {} : { because: step.because }),
    ...(step.output === undefined ? {} : { output: step.output }),
    ...(last?.summary === undefined ? {} : { summary: last.summary }),
    ...(last?.agent === undefined ? {} : { agent: last.agent }),
    attempts: step.attempts.filter((a) => a.startedAt !== undefined).length,
    findings: last?.findings ?? [],
  };
}

/** The pipeline's outputs, one by one: those that cannot be told yet are left out. */
function outputsOf(state: RunState): Record<string, unknown> {
  const { pipeline } = state;
  const scope: Scope = {
    inputs: state.inputs,
    run: { id: state.runId, branch: state.branch },
    steps: Object.fromEntries(pipeline.steps.flatMap(({ path }) => resultIn(state, path))),
  };
  return Object.fromEntries(
    Object.entries(pipeline.outputs ?? {}).flatMap(([name, text]) => {
      const evaluated = pipelineOutputs({ ...pipeline, outputs: { [name]: text } }, scope);
      return evaluated.ok ? Object.entries(evaluated.output as object) : [];
    }),
  );
}

function resultIn(state: RunState, path: string): [string, StepResult][] {
  const step = state.steps.get(path);
  if (!step || !isOver(step)) return [];
  const summary = step.attempts.at(-1)?.summary;
  const outcome = step.status === "completed" ? "succeeded" : (step.status as "failed" | "skipped" | "cancelled");
  return [
    [path, { outcome, ...(step.output === undefined ? {} : { output: step.output }), ...(summary === undefined ? {} : { summary }) }],
  ];
}

/** What agents say they used on their user's login, where no gateway saw it. */
const saidIn = (state: RunState): OwnWord[] =>
  [...state.steps.values()]
    .flatMap((s) => s.attempts)
    .flatMap((a) => (a.credentials === "direct" && a.usage ? [{ attempt: a.id, agent: a.agent ?? "", tier: a.tier, usage: a.usage }] : []));
