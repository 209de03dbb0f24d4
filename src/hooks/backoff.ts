/** However long the settings say: a person looks again sooner than that, and a timer of Node's cannot be set beyond 24 days. */
export const LONGEST_PAUSE_MS = 3_600_000;

/** Before the next try, when there were so many: at first `backoffMs`, then twice as long each time. */
export const pauseBefore = ({ backoffMs, tries }: { backoffMs: number; tries: number }): number =>
  Math.min(LONGEST_PAUSE_MS, backoffMs * 2 ** (tries - 1));
