import type { Clock } from "../domain/index.ts";

export interface LimitTuning {
  /** Requests at a time, streams not counted. */
  requests: number;
  /** Streams at a time. */
  streams: number;
  /** Requests that change something: so many at once, then so many a second. */
  changes: { burst: number; perSecond: number };
}

export const defaultLimits: LimitTuning = { requests: 64, streams: 64, changes: { burst: 60, perSecond: 5 } };

/** Counts what is under way and how fast changes come: one browser gone wild must not take the machine. */
export function openLimits(clock: Clock, tuning: LimitTuning) {
  const busy = { requests: 0, streams: 0 };
  let left = tuning.changes.burst;
  let at = clock.now();
  return {
    /** `undefined`: there are too many. Call the answer when it is over. */
    enter(kind: "requests" | "streams"): (() => void) | undefined {
      if (busy[kind] >= tuning[kind]) return undefined;
      busy[kind] += 1;
      let isOver = false;
      return () => {
        if (!isOver) busy[kind] -= 1;
        isOver = true;
      };
    },
    /** Whether one more change may be made now. */
    mayChange(): boolean {
      const now = clock.now();
      const { burst, perSecond } = tuning.changes;
      left = Math.min(burst, left + (Math.max(0, now - at) / 1000) * perSecond);
      at = now;
      if (left < 1) return false;
      left -= 1;
      return true;
    },
  };
}
