import { findStep, openMasks } from "../../control/index.ts";
import { sendMessage } from "../../engine/index.ts";
import { driverOf, findRun, loadRun } from "../../setup/find-run.ts";
import { withStore } from "../../setup/store.ts";
import { Exit, type Cli } from "../cli.ts";
import { actorOf } from "../setup/person.ts";
import { commandLine } from "../show/summary.ts";
import { attachTo } from "../watch/attach-step.ts";

/** `stepfall attach STEP [--run RUN] [--message TEXT]`: follows the agent of a step; what is typed is said to it. */
export async function attach(
  cli: Cli,
  given: string,
  options: { run?: string | undefined; message?: string | undefined },
): Promise<number> {
  return withStore(cli, async (store) => {
    const { runId } = await findRun(cli, store, options.run);
    const state = await loadRun(store, runId);
    const step = findStep(state, given).step.path;
    const mask = await openMasks(cli).of(state.project, state.pipeline.secrets ?? []);
    const send = (text: string) => sendMessage({ store, clock: cli.clock, actor: actorOf(cli), mask }, { runId, step, text });
    if (options.message === undefined) return attachTo(cli, { store, runId, step, send });
    const sent = await send(options.message);
    const isDriven = (await driverOf(store, runId, cli.clock.now())) !== undefined;
    if (cli.json) cli.out.json({ version: 1, runId, step, ...sent, driven: isDriven });
    else {
      cli.out.data(`said to ${step} (${sent.agent}): recorded`);
      cli.out.note(
        isDriven
          ? `Whether it has reached the agent: ${commandLine(cli, "attach", step, "--run", runId)}`
          : `Nobody drives the run now. The agent is told when somebody does: ${commandLine(cli, "resume", runId)}`,
      );
    }
    return Exit.ok;
  });
}
