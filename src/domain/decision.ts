import type { AttemptId } from "./ids.ts";
import type { Finding, RunEvent } from "./events.ts";
import { currentAttempt, type RunState, type StepState } from "./state.ts";

/**
 * What should happen now. `record` is a decision that is an event and nothing else; the others name an effect that should be under
 * way, again at every call until the journal shows that it happened: the engine starts it unless it is under way already. So a
 * decision lost in a crash is simply made again.
 */
export type Decision =
  | { kind: "record"; event: RunEvent }
  /** Find agents for the attempt, record AttemptRouted, queue it. */
  | { kind: "route"; step: string; attempt: AttemptId; n: number; rank: number; feedback: readonly Finding[] }
  /** Evaluate the condition and the texts of a step whose needs are over: StepResolved, StepSkipped or StepFailed. */
  | { kind: "resolve"; step: string }
  /** Make the children of a group: StepExpanded or StepFailed. */
  | { kind: "expand"; step: string; round: number }
  /** All children of a group are over, and well: StepCompleted with its output, StepExpanded with the next round, or StepFailed. */
  | { kind: "conclude"; step: string }
  /** Several candidates of a best-of step are accepted: CandidatePicked, or why it cannot be. `attempt`: what asking is billed under. */
  | { kind: "pick"; step: string; attempt: AttemptId; candidates: readonly string[] }
  /** Bring accepted work into the run's branch. */
  | { kind: "merge"; step: string; attempt: AttemptId; commit: string }
  /** End a running attempt. */
  | { kind: "stop"; step: string; attempt: AttemptId; because: string }
  /** Take an attempt nobody has started out of the queue. */
  | { kind: "withdraw"; step: string; attempt: AttemptId; because: string }
  /** Decide again at this time, epoch ms. */
  | { kind: "wake"; at: number }
  /** Nothing more can start until somebody answers. Everything in flight is over. */
  | { kind: "halt"; because: "budget"; id: string; limit: number; spent: number }
  | { kind: "halt"; because: "people"; items: readonly string[] };

export function record<T extends RunEvent["type"]>(type: T, data: Extract<RunEvent, { type: T }>["data"]): Decision {
  return { kind: "record", event: { type, data } as RunEvent };
}

export function withAttempt(state: RunState, path: string, use: (attempt: AttemptId) => void): void {
  const attempt = currentAttempt(stepOf(state, path));
  if (attempt) use(attempt.id);
}

export function stepOf(state: RunState, path: string): StepState {
  const s = state.steps.get(path);
  if (!s) throw new Error(`step ${path} is in an index and not in the run`);
  return s;
}
