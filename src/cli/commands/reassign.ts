import { reassignStep } from "../../control/index.ts";
import { driverOf, findRun } from "../../setup/find-run.ts";
import { withStore } from "../../setup/store.ts";
import { Exit, type Cli } from "../cli.ts";
import { askingAs } from "../setup/person.ts";
import { commandLine } from "../show/summary.ts";

export interface ReassignFlags {
  agent?: string | undefined;
  run?: string | undefined;
  reason?: string | undefined;
}

/**
 * `stepfall reassign STEP`: ends the attempt that runs, which does not count as a try, and gives the step to `--agent`, or to any agent but the
 * one that has it. Only the journal is written: whoever drives the run acts on it.
 */
export async function reassign(cli: Cli, given: string, flags: ReassignFlags): Promise<number> {
  return withStore(cli, async (store) => {
    const { runId } = await findRun(cli, store, flags.run);
    const { step, by, agent, not, stops } = await reassignStep(askingAs(cli, store), runId, {
      step: given,
      agent: flags.agent,
      because: flags.reason,
    });
    const driver = await driverOf(store, runId, cli.clock.now());
    if (cli.json) {
      cli.out.json({ version: 1, runId, step, by, agent, not, stops, driven: driver !== undefined });
      return Exit.ok;
    }
    const to = agent === undefined ? `any agent but ${not}` : `agent ${agent}`;
    cli.out.data(`${step}: given to ${to} by ${by}${stops === undefined ? "" : `; ${stops} is ended and does not count`}`);
    cli.out.note(driver ? "The run goes on." : `Nobody drives the run now. Go on with: ${commandLine(cli, "resume", runId)}`);
    return Exit.ok;
  });
}
