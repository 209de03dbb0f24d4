import { once } from "node:events";
import { readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Control, RunSummary } from "../../control/index.ts";
import type { Clock } from "../../domain/index.ts";
import type { Log } from "../../logs/index.ts";
import { RequestError } from "../../setup/failure.ts";
import { Exit } from "../cli.ts";

export interface LookedAfter {
  home: string;
  control: Pick<Control, "abandoned" | "resume">;
  clock: Clock;
  log: Log;
  /** For the person at the terminal. */
  note(text: string): void;
  lookMs?: number;
}

const LOOK_MS = 5_000;
/** What started processes printed is kept so long. */
const KEEP_MS = 7 * 86_400_000;
const TIDY_MS = 3_600_000;
/** Runs that are taken up at a time: after a crash of the machine it may be all of them, and each is a process. */
const MOST_BEGINNING = 4;

/**
 * What whoever serves a home does beside it, until `stop`: has runs go on whose process died without a word, and throws old output away.
 * Rejects with HOME_GONE when the home is no more.
 */
export async function lookAfterHome(of: LookedAfter, stop: AbortSignal): Promise<void> {
  const { home, clock, lookMs = LOOK_MS } = of;
  const kept = identityOf(home);
  const stopped = once(stop, "abort");
  const begun = new Set<Promise<unknown>>();
  for (let tidied = -Infinity; !stop.aborted; await sleep(lookMs, undefined, { signal: stop }).catch(() => undefined)) {
    if (identityOf(home) !== kept)
      throw new RequestError(
        "HOME_GONE",
        `what was in ${home} is gone: there is nothing left to serve`,
        "Start the server again.",
        Exit.failed,
      );
    if (clock.now() - tidied >= TIDY_MS) {
      tidied = clock.now();
      tidy(join(home, "launched"), tidied - KEEP_MS);
    }
    for (const run of await abandonedRuns(of)) {
      while (begun.size >= MOST_BEGINNING && !stop.aborted) await Promise.race([...begun, stopped]);
      if (stop.aborted) break;
      const one = takeUp(of, run, stop).finally(() => begun.delete(one));
      begun.add(one);
    }
  }
}

/** Of what is served: another home may stand in the same place by now. */
const identityOf = (home: string): number | undefined => statSync(join(home, "stepfall.db"), { throwIfNoEntry: false })?.ino;

async function takeUp({ control, log, note }: LookedAfter, { runId, pipeline }: RunSummary, stop: AbortSignal): Promise<void> {
  note(`run ${runId} (${pipeline}): the process that drove it is gone; another goes on with it`);
  log.warn("run-taken-up", "the process that drove it is gone; another goes on with it", { room: "server", run: runId });
  try {
    await control.resume("up:take-up", runId);
  } catch (error) {
    if (stop.aborted) return;
    log.error("run-not-taken-up", "it does not go on", { room: "server", run: runId, error });
    note(`run ${runId} does not go on: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** A store that is busy now can be asked again. */
async function abandonedRuns({ control, note }: LookedAfter): Promise<RunSummary[]> {
  try {
    return await control.abandoned();
  } catch (error) {
    note(`It cannot be seen now which runs are left: ${error instanceof Error ? error.message : String(error)}`);
    return [];
  }
}

function tidy(folder: string, before: number): void {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch {
    return;
  }
  for (const name of names) {
    const file = join(folder, name);
    if ((statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? before) < before) rmSync(file, { force: true });
  }
}
