import { useRef, useState } from "react";
import { useOlderRuns, type Overview, type Problem, type RunSummary } from "../data/index.ts";
import { isOver } from "./run-words.ts";

/** The overview tells as many. */
const NEWEST = 100;

interface AllRuns {
  /** Newest first. */
  runs: readonly RunSummary[];
  /** There may be older ones. */
  hasMore: boolean;
  isLoading: boolean;
  problem: Problem | undefined;
  showOlder(): void;
}

/** The runs of the overview, and older ones once they are asked for. What newer ones push out of the overview stays then. */
export function useAllRuns(overview: Overview | undefined, project: string): AllRuns {
  const [before, setBefore] = useState<string>();
  const newest = overview?.runs ?? [];
  const older = useOlderRuns(before, before !== undefined, project === "" ? undefined : project);
  const seen = useRef(new Map<string, RunSummary>());
  if (before !== undefined) for (const run of newest) seen.current.set(run.runId, run);
  // One that went on when it was seen last has ended since: of that the pages know.
  const pushedOut = [...seen.current.values()].filter(isOver);
  const byId = new Map([...pushedOut, ...(older.data?.pages.flat() ?? []), ...newest].map((run) => [run.runId, run]));
  const runs = [...byId.values()].filter((run) => !run.project.startsWith("workload:")).toSorted((a, b) => (a.runId < b.runId ? 1 : -1));
  return {
    runs,
    hasMore: before === undefined ? newest.length >= NEWEST : older.isPending || older.hasNextPage || older.isError,
    isLoading: before !== undefined && older.isFetching,
    problem: older.error ?? undefined,
    showOlder: () => {
      if (before === undefined) setBefore(newest[NEWEST - 1]?.runId);
      else if (older.isError && !older.data) void older.refetch();
      else void older.fetchNextPage();
    },
  };
}
