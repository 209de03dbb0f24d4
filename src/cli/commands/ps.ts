import { formatUsd } from "../../domain/index.ts";
import { troubledProviders } from "../../models/index.ts";
import { Exit, type Cli } from "../cli.ts";
import { isQuiet, type QueueDepth, type RunSummary, summarizeRuns } from "../../control/index.ts";
import { projectHere } from "../../setup/find-run.ts";
import { homeOf } from "../../setup/settings.ts";
import { openStoreIfThere } from "../../setup/store.ts";
import { dateTime, duration, integer } from "../show/format.ts";
import { depthText } from "../show/queue-depth.ts";
import { providerText } from "../show/provider-text.ts";
import { quotaText } from "../show/quota-text.ts";
import { liveSummary } from "../show/live-text.ts";
import { table, type Column } from "../show/table.ts";

/** `stepfall ps`: runs, newest first, and how full the queue is. */
export async function ps(cli: Cli, { all }: { all: boolean }): Promise<number> {
  const store = await openStoreIfThere(cli);
  if (!store) return tell(cli, [], undefined, "No runs yet.");
  try {
    const here = all ? undefined : await projectHere(cli);
    const rows = await store.runs(here ? { project: here.top } : {});
    const { runs, queue } = await summarizeRuns({ store, home: homeOf(cli), now: cli.clock.now() }, rows);
    return tell(cli, runs, queue, here ? `No runs of ${here.top} yet; --all shows those of other projects.` : "No runs yet.");
  } finally {
    await store.close();
  }
}

/** `all` is the queue of every run of this home, whichever are shown; absent where nothing ever ran. */
function tell(cli: Cli, runs: readonly RunSummary[], all: QueueDepth | undefined, none: string): number {
  if (cli.json) {
    cli.out.json({ version: 1, runs, ...(all ? { queue: all } : {}), providers: troubledProviders(homeOf(cli), cli.clock.now()) });
    return Exit.ok;
  }
  if (runs.length === 0) cli.out.note(none);
  else {
    const now = cli.clock.now();
    const waits = (r: RunSummary): string => (r.quota ? `, ${quotaText(r.quota, now)}` : "");
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
