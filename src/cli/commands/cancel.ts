import { runStream, type RunState } from "../../domain/index.ts";
import type { Store } from "../../store/index.ts";
import { Exit, type Cli } from "../cli.ts";
import { driverOf, findRun, loadRun } from "../../setup/find-run.ts";
import { describeHolder } from "../../setup/identity.ts";
import { request } from "../setup/merge-run.ts";
import { openRun } from "../../setup/open-run.ts";
import { withStore } from "../../setup/store.ts";

/** How long a living driver is waited for: it ends its agents' processes first. */
const WAIT_MS = 30_000;

/** `stepfall cancel [RUN]`: asks whoever drives the run to end it; when nobody does, ends it here. */
export async function cancel(cli: Cli, given: string | undefined, { reason }: { reason?: string | undefined }): Promise<number> {
  const asked = await withStore(cli, async (store) => {
    const { runId } = await findRun(cli, store, given);
    const { state } = await request(cli, store, runId, (s) =>
      s.status === "finished" || s.cancel ? undefined : { type: "CancelRequested", data: reason === undefined ? {} : { reason } },
    );
    if (state.status === "finished") return { state };
    const driver = await driverOf(store, runId, cli.clock.now());
    if (!driver) return { state, isOurs: true };
    cli.out.note(`cancel requested; ${describeHolder(driver.holder)} ends run ${runId}`);
    return { state: (await whenOver(store, runId)) ?? (await loadRun(store, runId)) };
  });
  let { state } = asked;
  if (asked.isOurs) {
    // A cancelled run starts nothing, so this only ends what was left of it.
    await using opened = await openRun(cli, state);
    await opened.assembled.engine.drive(state.runId, { workspaces: opened.workspaces });
    state = await opened.assembled.engine.load(state.runId);
  }
  return tell(cli, state);
}

async function whenOver(store: Store, runId: string): Promise<RunState | undefined> {
  const signal = AbortSignal.timeout(WAIT_MS);
  try {
    for await (const { event } of store.follow(runStream(runId), { after: 0, signal }))
      if (event.type === "RunFinished") return await loadRun(store, runId);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  return undefined;
}

function tell(cli: Cli, state: RunState): number {
  const { runId, outcome } = state;
  if (cli.json) cli.out.json({ version: 1, runId, status: outcome ?? "running", cancelRequested: true });
  else if (outcome === "cancelled") cli.out.data(`run ${runId} cancelled`);
  else if (outcome) cli.out.data(`run ${runId} was over already: it ${outcome}`);
  else cli.out.data(`run ${runId}: cancel requested, not over yet`);
  return Exit.ok;
}
