import type { Pipeline, Recorded } from "./index.ts";
import { carryOut, finishWell, Journal, move, started, type Move } from "./simulate.testkit.ts";

/** The journal of a run that never was: what an engine writes of it by itself, and after each thing that happens. */
export function madeUpJournal(
  pipeline: Pipeline,
  moves: readonly Move[] = [],
  {
    end = false,
    afterMove,
  }: {
    /** An engine that always succeeds brings it to its end. */
    end?: boolean;
    /** What happens beside, after each move. */
    afterMove?: (journal: Journal) => void;
  } = {},
): Journal {
  const journal = new Journal();
  journal.append(started(pipeline));
  carryOut(journal);
  for (const m of moves) {
    move(journal, m);
    carryOut(journal);
    afterMove?.(journal);
  }
  if (end) finishWell(journal);
  return journal;
}

/** Its events as a store hands them out. */
export const recordedIn = (journal: Journal): Recorded[] =>
  journal.events.map((applied) => ({ ...applied, globalSeq: applied.version, stream: "run:r1", schemaVersion: 1, actor: "engine" }));
