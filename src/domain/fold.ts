/** `apply` changes the state it is given, which its caller owns; `fold` makes a new one. */
import { applyToAttempt, countAtTier, reassign } from "./attempts.ts";
import { putOnBoard, takeReport } from "./board.ts";
import { pause, raise } from "./budget-pauses.ts";
import { pickCandidate } from "./held.ts";
import { goOn } from "./lift-pause.ts";
import type { EventData, RunEvent } from "./events.ts";
import { countWait, takeAnswer, takeItem } from "./people.ts";
import { currentAttempt, emptyRun, type RunState, type StepState } from "./state.ts";
import { addSteps, endStep, reopen } from "./steps.ts";

/** The part of a recorded event that the fold reads. */
export interface Applied {
  event: RunEvent;
  at: number;
  version: number;
}

export function fold(events: Iterable<Applied>, state: RunState = emptyRun()): RunState {
  for (const e of events) apply(state, e);
  return state;
}

/**
 * Takes one event in. Total: an event that does not fit the state (a late one, one for an unknown step) changes nothing but the
 * version, so any journal folds.
 */
export function apply(state: RunState, { event, at, version }: Applied): RunState {
  state.version = version;
  switch (event.type) {
    case "RunStarted":
      if (state.status === "empty") start(state, event.data, at);
      break;
    case "CancelRequested":
      state.cancel ??= { reason: event.data.reason };
      // Nobody is asked any more.
      for (const { item } of state.pauses.values()) if (item !== undefined) state.inbox.delete(item);
      break;
    case "HookAnswered": {
      const { before, verdict, hook, because } = event.data;
      // Of an attempt and of a merge the events with it say what it came to.
      if (before === "run" && verdict === "refused") state.cancel ??= { reason: `the hook ${hook} refused it: ${because}`, refused: true };
      break;
    }
    case "BudgetExhausted":
      // What another step's call found out after the end holds nothing any more.
      if (state.status === "running") pause(state, event.data);
      break;
    case "BudgetRaised":
      raise(state, event.data);
      break;
    case "BudgetLifted":
      goOn(state, event.data.id);
      break;
    case "RunFinished":
      if (state.status === "running") {
        state.status = "finished";
        state.outcome = event.data.outcome;
        if (event.data.because) state.because = event.data.because;
        state.endedAt = at;
        // The last results were accepted while a budget was asked about: nobody needs to raise it now.
        for (const id of state.pauses.keys()) goOn(state, id);
      }
      break;
    case "FeedbackGiven":
    case "RunResumed":
      // What a result was worth, and who had the run go on, changes nothing of what happened.
      break;
    case "RunMerged":
      state.mergedInto = event.data;
      break;
    case "StepCompleted":
      withStep(state, event.data.step, (s) => complete(state, s, event.data.output, at));
      break;
    case "StepFailed":
      withStep(state, event.data.step, (s) => endStep(state, s, "failed", at, event.data.because));
      break;
    case "StepSkipped":
      withStep(state, event.data.step, (s) => {
        if (event.data.condition) s.isUnneeded = true;
        endStep(state, s, "skipped", at, event.data.because);
      });
      break;
    case "StepCancelled":
      withStep(state, event.data.step, (s) => endStep(state, s, "cancelled", at));
      break;
    case "StepResolved":
      withStep(state, event.data.step, (s) => {
        if (s.status !== "ready") return;
        s.step = event.data.resolved;
        s.isResolved = true;
      });
      break;
    case "StepExpanded":
      withStep(state, event.data.step, (s) => expand(state, s, event.data));
      break;
    case "CandidatePicked":
      withStep(state, event.data.step, (s) => pickCandidate(state, s, event.data));
      break;
    case "StepReopened":
      withStep(state, event.data.step, (s) => {
        if (s.status === "active" && s.item === undefined) return;
        const last = currentAttempt(s);
        reopen(state, s);
        s.feedback = event.data.findings;
        if (last && event.data.findings.length > 0) countAtTier(s, last.tier);
      });
      break;
    case "StepReassigned":
      withStep(state, event.data.step, (s) => reassign(state, s, event.data));
      break;
    case "InboxOpened":
      withStep(state, event.data.step, (s) => takeItem(state, s, event.data, at));
      break;
    case "AgentReported":
      withStep(state, event.data.step, (s) => takeReport(s, event.data, at));
      break;
    case "BlackboardPut":
      withStep(state, event.data.step, (s) => putOnBoard(state, s, event.data, at));
      break;
    case "InboxAnswered":
      takeAnswer(state, event.data, at);
      break;
    case "AttemptRouted":
      withStep(state, event.data.step, (s) => {
        if (s.status !== "ready") return;
        s.attempts.push({
          id: event.data.attempt,
          step: s.step.path,
          n: event.data.n,
          phase: "queued",
          tier: event.data.tier,
          candidates: event.data.candidates,
          reasons: event.data.reasons,
          routedAt: at,
        });
        s.status = "active";
        state.ready.delete(s.step.path);
        state.queued.add(s.step.path);
      });
      break;
    default:
      withStep(state, event.data.step, (s) => {
        const attempt = currentAttempt(s);
        if (s.status === "active" && attempt?.id === event.data.attempt) applyToAttempt(state, s, attempt, event, at);
      });
  }
  countWait(state, at);
  return state;
}

function withStep(state: RunState, path: string | undefined, change: (s: StepState) => void): void {
  const s = path === undefined ? undefined : state.steps.get(path);
  if (s) change(s);
}

function complete(state: RunState, s: StepState, output: unknown, at: number): void {
  const result = output === undefined ? currentAttempt(s)?.output : output;
  if (result !== undefined) s.output = result;
  endStep(state, s, "completed", at);
}

function expand(state: RunState, s: StepState, { round, children, inputs }: EventData<"StepExpanded">): void {
  const isFirst = s.status === "ready" && s.group === undefined;
  const isNext = s.status === "active" && state.concluding.has(s.step.path) && round === (s.group?.round ?? 0) + 1;
  if (!isFirst && !isNext) return;
  const path = s.step.path;
  s.status = "active";
  state.ready.delete(path);
  state.concluding.delete(path);
  const added = children.filter((c) => c.parent === path && !state.steps.has(c.path));
  s.group = { round, children: added.map((c) => c.path), open: added.length };
  const scope = children[0]?.scope;
  if (inputs && scope !== undefined) state.scopes.set(scope, inputs);
  if (added.length === 0) state.concluding.add(path);
  if (s.step.kind === "group" && s.step.body.kind === "best-of") state.bestOf.add(path);
  addSteps(state, added, s.rank);
}

function start(state: RunState, data: EventData<"RunStarted">, at: number): void {
  state.runId = data.runId;
  state.status = "running";
  state.pipeline = data.pipeline;
  state.project = data.project;
  state.base = data.base;
  state.branch = data.branch;
  state.agents = data.agents;
  state.source = data.source;
  state.startedAt = at;
  state.budget = data.pipeline.budget;
  state.inputs = data.inputs ?? {};
  state.budgets = data.budgets ?? {};
  if (data.tiers) state.tiers = data.tiers;
  if (data.workload) state.workload = data.workload;
  addSteps(state, data.pipeline.steps, 0);
}
