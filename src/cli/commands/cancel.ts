import type { RunState } from "../../domain/index.ts";
import { Exit, type Cli } from "../cli.ts";
import { driverOf, findRun, loadRun } from "../../setup/find-run.ts";
import { describeHolder } from "../../setup/identity.ts";
import { ReportWriter, requestCancel, whenOver } from "../../control/index.ts";
import { askingAs } from "../setup/person.ts";
import { openRun } from "../../setup/open-run.ts";
import { withStore } from "../../setup/store.ts";

/** How long a living driver is waited for: it ends its agents' processes first. */
const WAIT_MS = 30_000;

/** `stepfall cancel [RUN]`: asks whoever drives the run to end it; when nobody does, ends it here. */
export async function cancel(cli: Cli, given: string | undefined, { reason }: { reason?: string | undefined }): Promise<number> {
  const asked = await withStore(cli, async (store) => {
    const { runId } = await findRun(cli, store, given);
    const state = await requestCancel(askingAs(cli, store), runId, reason);
    if (state.status === "finished") return { state };
    const driver = await driverOf(store, runId, cli.clock.now());
    if (!driver) return { state, isOurs: true };
    cli.out.note(`cancel requested; ${describeHolder(driver.holder)} ends run ${runId}`);
    return { state: (await whenOver(store, runId, AbortSignal.timeout(WAIT_MS))) ?? (await loadRun(store, runId)) };
  });
  let { state } = asked;
  if (asked.isOurs) {
    // A cancelled run starts nothing, so this only ends what was left of it.
    await using opened = await openRun(cli, state);
    const { engine, store, deps } = opened.assembled;
    const reports = new ReportWriter({ store, home: deps.home, mask: deps.mask, workspaces: opened.workspaces }, state);
    await engine.drive(state.runId, { workspaces: opened.workspaces });
    await reports.end();
    state = await engine.load(state.runId);
  }
  return tell(cli, state);
}

function tell(cli: Cli, state: RunState): number {
  const { runId, outcome } = state;
  if (cli.json) cli.out.json({ version: 1, runId, status: outcome ?? "running", cancelRequested: true });
  else if (outcome === "cancelled") cli.out.data(`run ${runId} cancelled`);
  else if (outcome) cli.out.data(`run ${runId} was over already: it ${outcome}`);
  else cli.out.data(`run ${runId}: cancel requested, not over yet`);
  return Exit.ok;
}
