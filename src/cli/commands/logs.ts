import { setTimeout as sleep } from "node:timers/promises";
import { runFolder } from "../../engine/index.ts";
import { Exit, type Cli } from "../cli.ts";
import { RequestError } from "../../setup/failure.ts";
import { driverOf, findRun, loadRun, shownStatus } from "../../setup/find-run.ts";
import { readOptions } from "../../setup/run-options.ts";
import { homeOf } from "../../setup/settings.ts";
import { withStore } from "../../setup/store.ts";
import { clockTime } from "../show/format.ts";
import { commandLine } from "../show/summary.ts";
import { type LogLine, readable, Transcripts } from "../../control/index.ts";

const LOOK_AGAIN_MS = 200;

/** `stepfall logs [RUN] [-f] [--step S]`: what agents, setup commands and gates printed, in the order of time. */
export async function logs(
  cli: Cli,
  given: string | undefined,
  options: { follow: boolean; step: string | undefined; onlySystem: { level: string | undefined; last: string | undefined } },
): Promise<number> {
  const { level, last } = options.onlySystem;
  if (level !== undefined || last !== undefined)
    throw new RequestError("USAGE", "--level and --last are for the log of Stepfall itself", "Give --system with them, or leave them out.");
  return withStore(cli, async (store) => {
    const { runId } = await findRun(cli, store, given);
    const state = await loadRun(store, runId);
    const { step, follow } = options;
    if (step !== undefined && !state.steps.has(step))
      throw new RequestError(
        "STEP_UNKNOWN",
        `run ${runId} has no step ${step}`,
        `Its steps: ${[...state.steps.keys()].slice(0, 20).join(", ")}.`,
      );
    const transcripts = new Transcripts(runFolder(homeOf(cli), runId), runId, step);
    const status = async (): Promise<string> => {
      const [row] = await store.runs({ runId });
      return row ? shownStatus(row, row.status === "running" ? await driverOf(store, runId, cli.clock.now()) : undefined) : "stopped";
    };
    let count = 0;
    const print = (lines: readonly LogLine[]): void => {
      count += lines.length;
      for (const line of lines) tell(cli, line);
    };
    // Asked before reading: what was written before the run ended is then all read.
    let is = follow ? await status() : "";
    print(await transcripts.next());
    while (is === "running" && !cli.out.unread.aborted) {
      await sleep(LOOK_AGAIN_MS);
      is = await status();
      print(await transcripts.next());
    }
    const wasCleaned = readOptions(homeOf(cli), runId).cleaned !== undefined;
    if (cli.json)
      cli.out.json({ version: 1, type: "result", runId, status: follow ? is : await status(), lines: count, cleaned: wasCleaned });
    else if (wasCleaned)
      cli.out.note(`Run ${runId} was cleaned: its transcripts are gone. What is left: ${commandLine(cli, "show", runId)}`);
    else if (follow) cli.out.note(`run ${runId}: ${is}`);
    else if (count === 0) cli.out.note(`Nothing was printed${step === undefined ? "" : ` by ${step}`} yet.`);
    return Exit.ok;
  });
}

function tell(cli: Cli, line: LogLine): void {
  if (cli.json) return cli.out.json({ version: 1, type: "line", ...line });
  const who = `${clockTime(line.at)} ${line.step}#${line.n}${line.role === "agent" ? "" : ` ${line.role}`} |`;
  for (const text of readable(line).flatMap((t) => t.split(/\r?\n/))) cli.out.data(`${who} ${text}`);
}
