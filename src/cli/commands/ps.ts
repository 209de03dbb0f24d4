import { formatUsd } from "../../domain/index.ts";
import { Exit, type Cli } from "../cli.ts";
import { driverOf, projectHere, shownStatus } from "../setup/find-run.ts";
import { readOptions } from "../setup/run-options.ts";
import { homeOf } from "../setup/settings.ts";
import { openStoreIfThere } from "../setup/store.ts";
import { dateTime, duration } from "../show/format.ts";
import { table } from "../show/table.ts";

/** `stepfall ps`: runs, newest first. */
export async function ps(cli: Cli, { all }: { all: boolean }): Promise<number> {
  const store = await openStoreIfThere(cli);
  if (!store) return tell(cli, [], "No runs yet.");
  try {
    const here = all ? undefined : await projectHere(cli);
    const rows = await store.runs(here ? { project: here.top } : {});
    const now = cli.clock.now();
    const shown = await Promise.all(
      rows.map(async (row) => {
        const driver = row.status === "running" ? await driverOf(store, row.runId, now) : undefined;
        const calls = await store.calls({ runId: row.runId });
        const microUsd = calls.reduce((sum, c) => sum + c.microUsd, 0);
        const providers = readOptions(homeOf(cli), row.runId).scripted ?? [];
        const scripted = calls.some((c) => providers.includes(c.provider));
        return { ...row, status: shownStatus(row, driver), durationMs: (row.endedAt ?? now) - row.startedAt, microUsd, scripted };
      }),
    );
    return tell(cli, shown, here ? `No runs of ${here.top} yet; --all shows those of other projects.` : "No runs yet.");
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
}

function tell(cli: Cli, runs: readonly ShownRun[], none: string): number {
  if (cli.json) cli.out.json({ version: 1, runs });
  else if (runs.length === 0) cli.out.note(none);
  else {
    const rows = runs.map((r) => [
      r.runId,
      r.pipeline,
      r.status === "stopped" ? "stopped (resume)" : r.status,
      `${r.stepsDone}/${r.stepsTotal}`,
      dateTime(r.startedAt),
      r.status === "stopped" || r.status === "budget" ? "" : duration(r.durationMs),
      formatUsd(r.microUsd),
      r.scripted ? "scripted" : "",
    ]);
    cli.out.data(
      table(
        [
          { title: "RUN" },
          { title: "PIPELINE" },
          { title: "STATUS" },
          { title: "STEPS", align: "right" },
          { title: "STARTED" },
          { title: "TIME", align: "right" },
          { title: "COST", align: "right" },
          { title: "" },
        ],
        rows,
      ),
    );
  }
  return Exit.ok;
}
