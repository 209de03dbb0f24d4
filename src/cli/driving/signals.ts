/** Two interrupts within this time are one: a terminal and a parent process (npm, our launcher) both pass the same key on. */
const SAME_KEY_MS = 300;

export interface SignalSource {
  on(signal: "SIGINT" | "SIGTERM" | "SIGHUP", listener: () => void): unknown;
  off(signal: "SIGINT" | "SIGTERM" | "SIGHUP", listener: () => void): unknown;
}

/** What runs, and where to say something about it. */
export interface Watched {
  readonly running: number;
  note(text: string): void;
}

export interface Interrupts extends Disposable {
  /** Start nothing new. */
  readonly drain: AbortSignal;
  /** End what runs. */
  readonly stop: AbortSignal;
  /** From now on there is something to see: before, nothing runs that could be finished. */
  watch(what: Watched): void;
}

/**
 * Ctrl-C once: nothing new starts, and attempts may end within the grace time. Twice, or SIGTERM, or SIGHUP: they are ended now. Both leave a
 * run that can be resumed.
 */
export function onInterrupts(source: SignalSource, options: { graceMs: number; now: () => number }): Interrupts {
  const drain = new AbortController();
  const stop = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  let first: number | undefined;
  let watched: Watched | undefined;

  const stopNow = (): void => {
    clearTimeout(timer);
    drain.abort();
    stop.abort();
  };
  const onInterrupt = (): void => {
    const now = options.now();
    if (first === undefined) {
      first = now;
      const n = watched?.running ?? 0;
      if (n > 0) watched?.note(`finishing ${n} attempt${n === 1 ? "" : "s"} (up to ${options.graceMs / 1000} s); Ctrl-C again to stop now`);
      drain.abort();
      timer = setTimeout(stopNow, options.graceMs);
    } else if (now - first >= SAME_KEY_MS) {
      if (!stop.signal.aborted) watched?.note("stopping now");
      stopNow();
    }
  };
  source.on("SIGINT", onInterrupt);
  source.on("SIGTERM", stopNow);
  source.on("SIGHUP", stopNow);
  return {
    drain: drain.signal,
    stop: stop.signal,
    watch: (what) => (watched = what),
    [Symbol.dispose]() {
      clearTimeout(timer);
      source.off("SIGINT", onInterrupt);
      source.off("SIGTERM", stopNow);
      source.off("SIGHUP", stopNow);
    },
  };
}
