import { statSync } from "node:fs";
import { join } from "node:path";
import { RequestError } from "../../setup/failure.ts";
import { Exit } from "../cli.ts";

const LOOK_MS = 1000;
/** Whoever replaces a file may be seen between two steps. */
const TIMES = 2;

export interface WatchedHome extends Disposable {
  readonly gone: AbortSignal;
  /** Looked at now. Throws HOME_GONE. */
  requireThere(): void;
}

/**
 * Fires when the folder that a run is kept in is gone, or another stands in its place: nothing that this process writes can be found any more, and what
 * it spends is on no bill.
 */
export function watchHome(home: string): WatchedHome {
  const gone = new AbortController();
  const identity = (): number | undefined => statSync(join(home, "stepfall.db"), { throwIfNoEntry: false })?.ino;
  const kept = identity();
  let missed = 0;
  const timer = setInterval(() => {
    missed = identity() === kept ? 0 : missed + 1;
    if (missed >= TIMES) gone.abort();
  }, LOOK_MS);
  timer.unref();
  return {
    gone: gone.signal,
    requireThere() {
      if (identity() === kept) return;
      throw new RequestError(
        "HOME_GONE",
        `Stepfall's folder ${home} is gone, and the journal of this run with it: the run was ended`,
        "What was merged before is in the run's branch: `git branch --list 'stepfall/*'`. Start it again when the folder may stay.",
        Exit.failed,
      );
    },
    [Symbol.dispose]: () => clearInterval(timer),
  };
}
