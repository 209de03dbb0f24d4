import { formatUsd } from "../../domain/index.ts";
import type { LivenessItem } from "../../fleet/index.ts";
import { troubledProviders } from "../../models/index.ts";
import { Exit, type Cli } from "../cli.ts";
import { driverOf, loadRun, projectHere, shownStatus } from "../../setup/find-run.ts";
import { readOptions } from "../../setup/run-options.ts";
import { homeOf } from "../../setup/settings.ts";
import { openStoreIfThere } from "../../setup/store.ts";
import { dateTime, duration, integer } from "../show/format.ts";
import { depthText, isQuiet, queueDepths, type QueueDepth } from "../show/queue-depth.ts";
import { providerText } from "../show/provider-text.ts";
import { quotaText, runWaitsFor, type QuotaWait } from "../show/quota-text.ts";
import { liveByRun, liveSummary } from "../show/live-text.ts";
import { table, type Column } from "../show/table.ts";

/** `stepfall ps`: runs, newest first, and how full the queue is. */
export async function ps(cli: Cli, { all }: { all: boolean }): Promise<number> {
  const store = await openStoreIfThere(cli);
  if (!store) return tell(cli, [], undefined, "No runs yet.");
  try {
    const here = all ? undefined : await projectHere(cli);
    const rows = await store.runs(here ? { project: here.top } : {});
    const now = cli.clock.now();
    const depthOf = await queueDepths(store, now);
    const live = await liveByRun(store, homeOf(cli), now);
    const shown = await Promise.all(
      rows.map(async (row) => {
        const driver = row.status === "running" ? await driverOf(store, row.runId, now) : undefined;
        const calls = await store.calls({ runId: row.runId });
        const microUsd = calls.reduce((sum, c) => sum + c.microUsd, 0);
        const providers = readOptions(homeOf(cli), row.runId).scripted ?? [];
        const scripted = calls.some((c) => providers.includes(c.provider));
        // Nothing of a run that is over is queued.
        const queue = row.endedAt === undefined ? await depthOf(row.runId) : undefined;
        const quota = row.status === "running" ? runWaitsFor(await loadRun(store, row.runId), now) : undefined;
        const durationMs = (row.endedAt ?? now) - row.startedAt;
        const attempts = driver ? live.get(row.runId) : undefined;
        return {
          ...row,
          status: shownStatus(row, driver),
          durationMs,
          microUsd,
          scripted,
          ...(quota ? { quota } : {}),
          ...(queue ? { queue } : {}),
          ...(attempts ? { live: attempts } : {}),
        };
      }),
    );
    return tell(cli, shown, await depthOf(), here ? `No runs of ${here.top} yet; --all shows those of other projects.` : "No runs yet.");
  } finally {
    await store.close();
  }
}

interface ShownRun {
  runId: string;
  pipeline: string;
  project: string;
  status: string;
  stepsDone: number;
  stepsTotal: number;
  startedAt: number;
  endedAt?: number | undefined;
  durationMs: number;
  microUsd: number;
  /** Some of its calls were answered from a file: not all of the cost is money. */
  scripted: boolean;
  /** The provider's limit that it waits for, where nothing else of it is under way. */
  quota?: QuotaWait;
  /** Absent when the run is over. */
  queue?: QueueDepth;
  /** How its attempts are that run now, where their engine tells. */
  live?: readonly LivenessItem[];
}

/** `all` is the queue of every run of this home, whichever are shown; absent where nothing ever ran. */
function tell(cli: Cli, runs: readonly ShownRun[], all: QueueDepth | undefined, none: string): number {
  if (cli.json) {
    cli.out.json({ version: 1, runs, ...(all ? { queue: all } : {}), providers: troubledProviders(homeOf(cli), cli.clock.now()) });
    return Exit.ok;
  }
  if (runs.length === 0) cli.out.note(none);
  else {
    const now = cli.clock.now();
    const waits = (r: ShownRun): string => (r.quota ? `, ${quotaText(r.quota, now)}` : "");
    const isWatched = runs.some((r) => r.live);
    const isBusy = runs.some((r) => r.queue && !isQuiet(r.queue));
    const rows = runs.map((r) => [
      r.runId,
      r.pipeline,
      (r.status === "stopped" ? "stopped (resume)" : r.status) + waits(r),
      `${r.stepsDone}/${r.stepsTotal}`,
      ...(isBusy ? depthCells(r.queue) : []),
      dateTime(r.startedAt),
      r.status === "stopped" || r.status === "budget" ? "" : duration(r.durationMs),
      formatUsd(r.microUsd),
      r.scripted ? "scripted" : "",
      ...(isWatched ? [r.live ? liveSummary(r.live) : ""] : []),
    ]);
    cli.out.data(
      table(
        [
          { title: "RUN" },
          { title: "PIPELINE" },
          { title: "STATUS" },
          { title: "STEPS", align: "right" },
          ...(isBusy ? depthColumns : []),
          { title: "STARTED" },
          { title: "TIME", align: "right" },
          { title: "COST", align: "right" },
          { title: "" },
          ...(isWatched ? [{ title: "ATTEMPTS" }] : []),
        ],
        rows,
      ),
    );
  }
  if (all && !isQuiet(all)) cli.out.note(`In all runs: ${depthText(all)}.`);
  for (const state of troubledProviders(homeOf(cli), cli.clock.now())) cli.out.note(`${providerText(state, cli.clock.now())}.`);
  return Exit.ok;
}

const depthColumns: readonly Column[] = ["RUNNING", "QUEUED", "OLDEST"].map((title) => ({ title, align: "right" }));

function depthCells(queue: QueueDepth | undefined): string[] {
  if (!queue) return depthColumns.map(() => "");
  return [integer(queue.running), integer(queue.queued), queue.oldestWaitMs === undefined ? "" : duration(queue.oldestWaitMs)];
}
