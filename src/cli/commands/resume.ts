import { runBudgetId, type BudgetPause, type RunState } from "../../domain/index.ts";
import type { Store } from "../../store/index.ts";
import { Exit, type Cli } from "../cli.ts";
import { driveRun, tellResult } from "../driving/drive.ts";
import { onInterrupts } from "../driving/signals.ts";
import { RequestError } from "../../setup/failure.ts";
import { findRun, driverOf, loadRun } from "../../setup/find-run.ts";
import { describeHolder } from "../../setup/identity.ts";
import { nameOf, reportHere, request } from "../../control/index.ts";
import { actorOf, askingAs } from "../setup/person.ts";
import { openRun } from "../../setup/open-run.ts";
import { requirePreflight } from "../../setup/preflight.ts";
import { allOf, checkRequirements } from "../../setup/requirements.ts";
import type { RunOptions } from "../../setup/run-options.ts";
import { withStore } from "../../setup/store.ts";
import { budgetText, enoughBudget, neededNext } from "../show/budget-text.ts";
import { commandLine, summaryText } from "../show/summary.ts";
import { parseBudget } from "./run.ts";

/** `stepfall resume [RUN]`: goes on from what the journal says. */
export async function resume(
  cli: Cli,
  given: string | undefined,
  flags: RunOptions & { budget?: string | undefined; wait?: boolean | undefined },
): Promise<number> {
  const budget = flags.budget === undefined ? undefined : parseBudget(flags.budget);
  const looked = await withStore(cli, async (store) => {
    const { runId } = await findRun(cli, store, given);
    let state = await loadRun(store, runId);
    if (state.status === "finished") return { over: await tellOver(cli, state, store) };
    const driver = await driverOf(store, runId, cli.clock.now());
    if (driver)
      throw new RequestError(
        "USAGE",
        `run ${runId} is being driven by ${describeHolder(driver.holder)}`,
        `Watch it with \`${commandLine(cli, "logs", runId, "-f")}\`, or end it with \`${commandLine(cli, "cancel", runId)}\`.`,
        Exit.failed,
      );
    if (budget !== undefined) {
      const asking = askingAs(cli, store);
      const by = nameOf(asking.actor);
      await request(asking, runId, () => ({ type: "BudgetRaised", data: { scope: "run", id: runBudgetId(runId), limit: budget, by } }));
      state = await loadRun(store, runId);
    }
    // What all runs share may have been raised elsewhere, and its period may be over: whoever drives looks again.
    if (state.halted?.scope === "run" && flags.wait !== true) return { over: tellHalted(cli, state, state.halted) };
    return { state };
  });
  if (looked.over !== undefined) return looked.over;
  const { state } = looked;
  await using opened = await openRun(cli, state, { slots: flags.slots, grace: flags.grace, sandbox: flags.sandbox }, (notice) =>
    cli.out.note(notice),
  );
  const { config, assembled, workspaces, scripted } = opened;
  using interrupts = onInterrupts(process, { graceMs: config.graceMs, now: () => cli.clock.now() });
  const unfinished = state.pipeline.steps.filter(
    (s) => !["completed", "failed", "skipped", "cancelled"].includes(state.steps.get(s.path)?.status ?? ""),
  );
  const tell = (notice: string): void => cli.out.note(notice);
  const needed = checkRequirements({ ...state.pipeline, steps: unfinished, budget: state.budget }, config, assembled.deps, tell);
  cli.out.note(await assembled.describeSandbox());
  await scripted.start(config, allOf(needed));
  await requirePreflight(assembled.deps, state.runId, needed, interrupts.drain, tell);
  return tellResult(
    cli,
    await driveRun(cli, assembled, {
      runId: state.runId,
      workspaces,
      interrupts,
      waitForPeople: flags.wait === true,
      resumed: { actor: actorOf(cli), by: nameOf(actorOf(cli)) },
    }),
  );
}

async function tellOver(cli: Cli, state: RunState, store: Store): Promise<number> {
  const code = state.outcome === "succeeded" ? Exit.ok : Exit.failed;
  const report = await reportHere(cli, store, state, state.outcome ?? "failed");
  cli.out.note(`run ${state.runId} is over: it ${state.outcome}. There is nothing to resume.`);
  if (cli.json) cli.out.json({ version: 1, type: "result", exitCode: code, ...report });
  else cli.out.data(summaryText(report, cli));
  return code;
}

function tellHalted(cli: Cli, state: RunState, halted: BudgetPause): number {
  const needed = neededNext(state.steps.values()) ?? halted.needed;
  const message = `run ${state.runId} is stopped by its budget: ${budgetText(halted, needed)}`;
  cli.out.note(`${message}\nRaise it: ${commandLine(cli, "resume", state.runId, "--budget", enoughBudget(halted, needed))}`);
  if (cli.json)
    cli.out.json({ version: 1, type: "result", exitCode: Exit.budget, runId: state.runId, status: "budget", halted: state.halted });
  return Exit.budget;
}
