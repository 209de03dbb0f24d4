import { useEffect } from "react";
import type { Recorded } from "../../../src/domain/index.ts";
import { asProblem, type Problem } from "./api/problem.ts";
import { fetchEvents } from "./queries.ts";
import { take } from "./run-log.ts";
import { emptyWatched, tellWatched, useStream, type WatchedRun } from "./stream-store.ts";

const PAGE = 2_000;
/** How long a run stays known after its page was left: going back and forth reads nothing again. */
const KEEP_MS = 15_000;

/** How many parts of the page look at each run. */
const watchers = new Map<string, number>();
/** Runs that are being read, and whether what was read may be too old by now. */
const loading = new Map<string, { isOld: boolean }>();

const change = (runId: string, to: (run: WatchedRun) => WatchedRun): void =>
  useStream.setState(({ runs }) => {
    const run = runs[runId];
    return run ? { runs: { ...runs, [runId]: to(run) } } : {};
  });

/** Reads what the journal has beyond what is known, page by page. Called again when the stream shows a gap: then it looks once more at the end. */
export async function load(runId: string): Promise<void> {
  const under = loading.get(runId);
  if (under) {
    under.isOld = true;
    return;
  }
  const mine = { isOld: false };
  loading.set(runId, mine);
  try {
    for (;;) {
      mine.isOld = false;
      const run = useStream.getState().runs[runId];
      if (!run) return;
      const after = run.log.events.length;
      const page = await fetchEvents(runId, { after, limit: PAGE });
      change(runId, (now) => ({ ...now, log: take(now.log, page), error: undefined }));
      if (page.length < PAGE && !mine.isOld) break;
    }
    change(runId, (now) => ({ ...now, isLoaded: true, error: undefined }));
  } catch (error) {
    change(runId, (now) => ({ ...now, error: asProblem(error) }));
  } finally {
    loading.delete(runId);
  }
}

function watch(runId: string): () => void {
  watchers.set(runId, (watchers.get(runId) ?? 0) + 1);
  if (!useStream.getState().runs[runId]) {
    useStream.setState(({ runs }) => ({ runs: { ...runs, [runId]: emptyWatched } }));
    // First the stream, then what was: whatever happens between the two comes by one of them.
    tellWatched();
    void load(runId);
  }
  return () => {
    const left = (watchers.get(runId) ?? 1) - 1;
    watchers.set(runId, left);
    if (left > 0) return;
    setTimeout(() => {
      if ((watchers.get(runId) ?? 0) > 0) return;
      watchers.delete(runId);
      useStream.setState(({ runs }) => ({ runs: Object.fromEntries(Object.entries(runs).filter(([id]) => id !== runId)) }));
      tellWatched();
    }, KEEP_MS);
  };
}

/** The stream was away: what it missed is read. */
export const loadAll = (): void => {
  for (const runId of Object.keys(useStream.getState().runs)) void load(runId);
};

/** All journal events of a run, see README.md. */
export function useRunEvents(runId: string): {
  events: readonly Recorded[];
  isLoaded: boolean;
  isLive: boolean;
  error: Problem | undefined;
} {
  useEffect(() => watch(runId), [runId]);
  const run = useStream((s) => s.runs[runId]) ?? emptyWatched;
  const isLive = useStream((s) => s.connection.state === "live");
  return { events: run.log.events, isLoaded: run.isLoaded, isLive, error: run.error };
}
