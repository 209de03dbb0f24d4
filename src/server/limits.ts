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

export interface Limits {
  /** `undefined`: there are too many. Call the answer when it is over. */
  enter(kind: "requests" | "streams"): (() => void) | undefined;
  /** Whether one more change may be made now. */
  mayChange(): boolean;
}

/** Counts what is under way and how fast changes come: one browser gone wild must not take the machine. */
export function openLimits(clock: Clock, tuning: LimitTuning): Limits {
  const busy = { requests: 0, streams: 0 };
  let left = tuning.changes.burst;
  let at = clock.now();
  return {
    enter(kind) {
      if (busy[kind] >= tuning[kind]) return undefined;
      busy[kind] += 1;
      let isOver = false;
      return () => {
        if (!isOver) busy[kind] -= 1;
        isOver = true;
      };
    },
    mayChange() {
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

/** Each kind of caller has limits of its own, so that strangers and those who only look keep nobody from answering. */
export interface LimitsByCaller {
  /** `kind`: a role, or `nobody`. */
  of(kind: string): Limits;
}

export function openLimitsByCaller(clock: Clock, tuning: LimitTuning): LimitsByCaller {
  const known = new Map<string, Limits>();
  return {
    of(kind) {
      const limits = known.get(kind) ?? openLimits(clock, tuning);
      known.set(kind, limits);
      return limits;
    },
  };
}
