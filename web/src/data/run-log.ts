import type { Recorded } from "../../../src/domain/index.ts";

/**
 * The events of one run, as far as they are known without a gap: `events[i].version === i + 1`. They come from two sides, pages of what was and the
 * stream of what happens, in any order and some twice.
 */
export interface RunLog {
  events: readonly Recorded[];
  /** Came before what precedes them. */
  early: ReadonlyMap<number, Recorded>;
}

export const emptyLog: RunLog = { events: [], early: new Map() };

/** More early events than this are let go: they are in the journal, and the pages bring them. */
const MOST_EARLY = 5_000;

/** Takes events in; the same log when nothing of it was new. */
export function take(log: RunLog, incoming: readonly Recorded[]): RunLog {
  const known = log.events.length;
  const early = new Map(log.early);
  let isNew = false;
  for (const event of incoming) {
    if (event.version <= known || early.has(event.version)) continue;
    early.set(event.version, event);
    isNew = true;
  }
  if (!isNew) return log;
  const added: Recorded[] = [];
  for (let next = early.get(known + 1); next; next = early.get(known + added.length + 1)) {
    added.push(next);
    early.delete(next.version);
  }
  if (early.size > MOST_EARLY) early.clear();
  return { events: added.length === 0 ? log.events : [...log.events, ...added], early };
}

/** Something between what is known and what came is missing: pages after `events.length` bring it. */
export const hasGap = (log: RunLog): boolean => log.early.size > 0;
