import { openControl, reportHere } from "../../control/index.ts";
import { importLeftBill } from "../../setup/bill.ts";
import { findRun, loadRun, shownStatus, type ShownStatus } from "../../setup/find-run.ts";
import { homeOf } from "../../setup/settings.ts";
import { withStore } from "../../setup/store.ts";
import type { Store } from "../../store/index.ts";
import { Exit, type Cli } from "../cli.ts";
import { ownLauncher } from "../setup/own-program.ts";
import { summaryText } from "../show/summary.ts";
import { Lookout, type SeenRun } from "../watch/lookout.ts";
import { watchInLines } from "../watch/watch-lines.ts";

/** `stepfall watch [RUN]`: looks at a run, or at all runs of this home, while another process drives them. */
export async function watch(cli: Cli, given: string | undefined): Promise<number> {
  return withStore(cli, async (store) => {
    const only = given === undefined ? undefined : (await findRun(cli, store, given)).runId;
    const lookout = new Lookout({ store, home: homeOf(cli), clock: cli.clock, only, importBill: () => importLeftBill(cli, store) });
    const terminal = cli.json ? undefined : cli.out.terminal;
    if (!terminal) await watchInLines(cli, lookout, only);
    else {
      const { watchOnScreen } = await import("../watch/watch-screen.ts");
      const keyboard = cli.canAsk ? process.stdin : undefined;
      await using control = await openControl({ surroundings: cli, launcher: ownLauncher(cli) });
      const left = await watchOnScreen(cli, { control, lookout, only, terminal, keyboard });
      if (left === "interrupted") return Exit.interrupted;
      if (left === "left") return Exit.ok;
    }
    const [run] = lookout.runs;
    return only === undefined || !run ? Exit.ok : tellEnd(cli, store, run);
  });
}

/** What `run` prints when it ends, and its exit code. */
async function tellEnd(cli: Cli, store: Store, { row, driver }: SeenRun): Promise<number> {
  const status = shownStatus(row, driver === undefined ? undefined : { key: "", holder: driver, epoch: 0, until: 0 });
  const code = codes[status];
  const report = await reportHere(cli, store, await loadRun(store, row.runId), status);
  if (cli.json) cli.out.json({ version: 1, type: "result", exitCode: code, ...report });
  else cli.out.data(`\n${summaryText(report, cli)}`);
  return code;
}

const codes: Readonly<Record<ShownStatus, number>> = {
  succeeded: Exit.ok,
  failed: Exit.failed,
  cancelled: Exit.failed,
  waiting: Exit.waitsForHuman,
  budget: Exit.budget,
  stopped: Exit.interrupted,
  // Nobody reads on: the run goes on.
  running: Exit.ok,
};
