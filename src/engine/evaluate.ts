import { currentAttempt, isOver, type AttemptState, type Decision, type RunEvent, type RunState, type StepState } from "../domain/index.ts";
import {
  expandGroup,
  groupOutput,
  repeatIsDone,
  resolveStep,
  type EvaluationProblem,
  type Scope,
  type StepResult,
} from "../pipeline/index.ts";

/** What the pipeline left open until now, as events: evaluated once, recorded, and never again. */
export function evaluate(decision: Extract<Decision, { kind: "resolve" | "expand" | "conclude" }>, state: RunState): RunEvent {
  const path = decision.step;
  const s = state.steps.get(path);
  if (!s) throw new TypeError(`no step ${path}`);
  const failed = ({ message, hint }: EvaluationProblem): RunEvent => ({
    type: "StepFailed",
    data: { step: path, because: `${message}. ${hint}` },
  });
  if (decision.kind === "resolve") {
    const resolved = resolveStep(s.step, scopeOf(state, s.step.scope));
    if (!resolved.ok) return failed(resolved.problem);
    if (!resolved.run) return { type: "StepSkipped", data: { step: path, because: resolved.because, condition: true } };
    return { type: "StepResolved", data: { step: path, resolved: resolved.step } };
  }
  const { step } = s;
  if (step.kind !== "group") throw new TypeError(`${path} is no group`);
  const expand = (round: number): RunEvent => {
    const expanded = expandGroup(step, scopeOf(state, step.scope), round);
    if (!expanded.ok) return failed(expanded.problem);
    const { children, inputs } = expanded;
    return { type: "StepExpanded", data: { step: path, round, children, ...(inputs ? { inputs } : {}) } };
  };
  if (decision.kind === "expand") return expand(decision.round);

  const children = (s.group?.children ?? []).flatMap((child) => state.steps.get(child) ?? []);
  const round = s.group?.round ?? 1;
  const inside: Scope = { ...scopeOf(state, children[0]?.step.scope, children), round };
  const done = repeatIsDone(step, inside);
  if (!done.ok) return failed(done.problem);
  if (!done.done) {
    const most = step.body.kind === "pipeline" ? (step.body.repeat?.most ?? 1) : 1;
    if (round < most) return expand(round + 1);
    return { type: "StepFailed", data: { step: path, because: `it is not done after ${most} ${most === 1 ? "round" : "rounds"}` } };
  }
  const folded = groupOutput(step, { outputs: children.map((c) => c.output ?? null), scope: inside });
  if (!folded.ok) return failed(folded.problem);
  return { type: "StepCompleted", data: { step: path, ...(folded.output === undefined ? {} : { output: folded.output }) } };
}

/** What expressions see that stand at `prefix`: the inputs there, and the steps there that are over. */
function scopeOf(state: RunState, prefix: string | undefined, siblings?: readonly StepState[]): Scope {
  const steps: Record<string, StepResult> = {};
  const all =
    siblings ?? (prefix === undefined ? state.pipeline.steps.flatMap(({ path }) => state.steps.get(path) ?? []) : below(state, prefix));
  for (const s of all) {
    if (!isOver(s)) continue;
    const summary = (pickedOf(state, s) ?? currentAttempt(s))?.summary;
    steps[s.step.path.slice(prefix?.length ?? 0)] = {
      outcome: s.status === "completed" ? "succeeded" : (s.status as "failed" | "skipped" | "cancelled"),
      ...(s.output === undefined ? {} : { output: s.output }),
      ...(summary === undefined ? {} : { summary }),
    };
  }
  return {
    inputs: (prefix === undefined ? state.inputs : state.scopes.get(prefix)) ?? {},
    steps,
    run: { id: state.runId, branch: state.branch },
  };
}

/** The attempt that a best-of step stands for. */
const pickedOf = (state: RunState, { group }: StepState): AttemptState | undefined =>
  group?.picked === undefined
    ? undefined
    : group.children.flatMap((path) => state.steps.get(path)?.attempts ?? []).find((a) => a.id === group.picked);

/** The steps of the nested pipeline whose steps' paths begin with `prefix`. */
function below(state: RunState, prefix: string): StepState[] {
  return [...state.steps.values()].filter((s) => s.step.scope === prefix);
}
