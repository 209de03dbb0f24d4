import type { AttemptState, RunState } from "../../../../src/domain/index.ts";
import type { Facts } from "./facts.ts";
import { lengthOf, partition, type Piece, type Span } from "./spans.ts";

/** What a moment of a run was spent on: the first of these that holds. `undefined`: nothing went on. */
export type Doing = "work" | "queue" | "people";

/** A stretch of a step's time. */
export interface Bar extends Span {
  what: "queue" | "run" | "merge" | "people";
  attempt?: string;
  n?: number;
  phase?: AttemptState["phase"];
  /** It goes on: `to` is now. */
  isOpen: boolean;
}

/** By step, in the order of the steps: its attempts and what of it waited for people. `now`: epoch ms. */
export function barsOf(state: RunState, facts: Facts, now: number): Map<string, Bar[]> {
  const bars = new Map<string, Bar[]>();
  for (const [path, s] of state.steps) {
    const own: Bar[] = [];
    // Accepted work that is never merged (it changed nothing, or another candidate was picked) is over with its step.
    for (const a of s.attempts) own.push(...barsOfAttempt(a, facts.mergedAt(a.id, state.version) ?? s.endedAt, state.endedAt ?? now));
    bars.set(path, own);
  }
  for (const wait of facts.waits(state.version))
    bars.get(wait.step)?.push({ what: "people", from: wait.at, to: wait.closed?.at ?? state.endedAt ?? now, isOpen: !wait.closed });
  return bars;
}

/** `settledAt`: when its accepted work was merged, or was no longer to be. */
function barsOfAttempt(a: AttemptState, settledAt: number | undefined, now: number): Bar[] {
  const of = { attempt: a.id, n: a.n, phase: a.phase };
  const bars: Bar[] = [];
  const started = a.startedAt ?? a.endedAt;
  if ((started ?? now) > a.routedAt)
    bars.push({ ...of, what: "queue", from: a.routedAt, to: started ?? now, isOpen: started === undefined });
  if (a.startedAt !== undefined)
    bars.push({ ...of, what: "run", from: a.startedAt, to: a.endedAt ?? now, isOpen: a.endedAt === undefined });
  const isAccepted = a.phase === "accepted" || a.phase === "merging" || a.phase === "merged";
  if (a.endedAt !== undefined && isAccepted && (settledAt ?? now) > a.endedAt)
    bars.push({ ...of, what: "merge", from: a.endedAt, to: settledAt ?? now, isOpen: settledAt === undefined });
  return bars;
}

/** What the run did from its start to its end, or to now. */
export function activity(state: RunState, bars: ReadonlyMap<string, readonly Bar[]>, now: number): Piece<Doing>[] {
  const work: Span[] = [];
  const queue: Span[] = [];
  const people: Span[] = [];
  for (const own of bars.values()) for (const bar of own) (bar.what === "people" ? people : bar.what === "queue" ? queue : work).push(bar);
  return partition({ from: state.startedAt, to: state.endedAt ?? Math.max(now, state.startedAt) }, [
    ["work", work],
    ["queue", queue],
    ["people", people],
  ]);
}

export interface RunTimes {
  /** While attempts ran, merged or waited for a slot. */
  runMs: number;
  /** While people were waited for and nothing else. */
  peopleMs: number;
  /** While nothing went on: nobody drove it, or it waited for a quota or a retry. */
  idleMs: number;
}

/** Adds up to the time between the start and the end. */
export function runTimes(pieces: readonly Piece<Doing>[]): RunTimes {
  const of = (want: (p: Piece<Doing>) => boolean): number => lengthOf(pieces.filter(want));
  return {
    runMs: of((p) => p.layer === "work" || p.layer === "queue"),
    peopleMs: of((p) => p.layer === "people"),
    idleMs: of((p) => p.layer === undefined),
  };
}
