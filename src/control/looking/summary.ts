import { waitedForPeople } from "../../domain/index.ts";
import type { LivenessItem } from "../../fleet/index.ts";
import type { RunRow, Store } from "../../store/index.ts";
import { driverOf, loadRun, shownStatus, type ShownStatus } from "../../setup/find-run.ts";
import { readOptions } from "../../setup/run-options.ts";
import { liveByRun } from "./live-attempts.ts";
import { queueDepths, type QueueDepth } from "./queue-depth.ts";
import { runWaitsFor, type QuotaWait } from "./quota-wait.ts";

/** A run in one line, as `ps --json` has it. */
export interface RunSummary extends Omit<RunRow, "status" | "waitsForPeopleSince"> {
  status: ShownStatus;
  /** Until now, of a run that is not over. */
  durationMs: number;
  microUsd: number;
  /** How long it did nothing but wait for people, until now or until it was over. */
  waitedForPeopleMs: number;
  /** Some of its calls were answered from a file: not all of the cost is money. */
  scripted: boolean;
  /** The provider's limit that it waits for, where nothing else of it is under way. */
  quota?: QuotaWait;
  /** Absent when the run is over. */
  queue?: QueueDepth;
  /** How its attempts are that run now, where their engine tells. */
  live?: readonly LivenessItem[];
}

/** The runs of these rows, and the queue of every run of this home, whichever are asked for. */
export async function summarizeRuns(
  { store, home, now }: { store: Store; home: string; now: number },
  rows: readonly RunRow[],
): Promise<{ runs: RunSummary[]; queue: QueueDepth }> {
  const depthOf = await queueDepths(store, now);
  const live = await liveByRun(store, home, now);
  /** One journal that cannot be read must not hide all other runs; whoever looks at that run is told. */
  const readable = (runId: string) => loadRun(store, runId).catch(() => undefined);
  /** The journal of a run that was last written before waits were counted tells it all the same. */
  const waitOfRow = async ({ runId, waitedForPeopleMs, waitsForPeopleSince }: RunRow) =>
    waitedForPeopleMs === undefined
      ? ((await readable(runId)) ?? { waitedForPeopleMs: 0, waitsForPeopleSince: undefined })
      : { waitedForPeopleMs, waitsForPeopleSince };
  const summaryOf = async (row: RunRow): Promise<RunSummary> => {
    const driver = row.status === "running" ? await driverOf(store, row.runId, now) : undefined;
    const calls = await store.calls({ runId: row.runId });
    const scripted = readOptions(home, row.runId).scripted ?? [];
    // Nothing of a run that is over is queued.
    const queue = row.endedAt === undefined ? await depthOf(row.runId) : undefined;
    const running = row.status === "running" ? await readable(row.runId) : undefined;
    const quota = running && runWaitsFor(running, now);
    const attempts = driver ? live.get(row.runId) : undefined;
    const { waitsForPeopleSince: _, ...rest } = row;
    return {
      ...rest,
      status: shownStatus(row, driver),
      durationMs: (row.endedAt ?? now) - row.startedAt,
      microUsd: calls.reduce((sum, c) => sum + c.microUsd, 0),
      waitedForPeopleMs: waitedForPeople(await waitOfRow(row), now),
      scripted: calls.some((c) => scripted.includes(c.provider)),
      ...(quota ? { quota } : {}),
      ...(queue ? { queue } : {}),
      ...(attempts ? { live: attempts } : {}),
    };
  };
  return { runs: await Promise.all(rows.map(summaryOf)), queue: await depthOf() };
}
