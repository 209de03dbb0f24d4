import { setTimeout as sleep } from "node:timers/promises";
import { LOG_LEVELS, type LogLevel } from "../../config/index.ts";
import { SystemLog, type SystemLine } from "../../logs/index.ts";
import { RequestError } from "../../setup/failure.ts";
import { findRun } from "../../setup/find-run.ts";
import { homeOf } from "../../setup/settings.ts";
import { withStore } from "../../setup/store.ts";
import { Exit, type Cli } from "../cli.ts";
import { dateTime, plural } from "../show/format.ts";
import { commandLine } from "../show/summary.ts";

const LOOK_AGAIN_MS = 500;
const USUALLY_LAST = 200;

export interface SystemLogFlags {
  follow: boolean;
  step: string | undefined;
  level: string | undefined;
  last: string | undefined;
}

/** `stepfall logs [RUN] --system`: what Stepfall's own processes have said beside the journal; of a run, where one is given. */
export async function systemLog(cli: Cli, given: string | undefined, flags: SystemLogFlags): Promise<number> {
  const least = levelOf(flags.level);
  const last = lastOf(flags.last);
  const runId = given === undefined ? undefined : await withStore(cli, async (store) => (await findRun(cli, store, given)).runId);
  const isWanted = (line: SystemLine): boolean =>
    LOG_LEVELS.findIndex((level) => level === line.level) >= least &&
    (runId === undefined || line.run === runId) &&
    (flags.step === undefined || line.step === flags.step || line.attempt?.startsWith(`${line.run ?? ""}/${flags.step}#`) === true);
  const log = new SystemLog(homeOf(cli));
  // Only so many are kept of what may be 100 MB.
  const shown: SystemLine[] = [];
  let count = 0;
  for (const line of log.next()) {
    if (!isWanted(line)) continue;
    count += 1;
    shown.push(line);
    if (last > 0 && shown.length > 2 * last) shown.splice(0, shown.length - last);
  }
  const lines = last > 0 ? shown.slice(-last) : shown;
  for (const line of lines) tell(cli, line);
  if (!cli.json && count === 0)
    cli.out.note(
      `Nothing of that kind was said yet. What agents printed is in ${commandLine(cli, "logs", ...(given === undefined ? [] : [given]))}.`,
    );
  else if (!cli.json && count > lines.length)
    cli.out.note(`These are the last ${lines.length} of ${plural(count, "line")}; --last 0 shows all.`);
  while (flags.follow && !cli.out.unread.aborted) {
    await sleep(LOOK_AGAIN_MS);
    for (const line of log.next()) if (isWanted(line)) tell(cli, line);
  }
  return Exit.ok;
}

function tell(cli: Cli, line: SystemLine): void {
  if (cli.json) return cli.out.json({ version: 1, ...line });
  const { time, level, process: name = "?", pid = 0, event, message, run, attempt, error, data } = line;
  const at = Date.parse(time);
  const about = attempt ?? run;
  const more = Object.entries(data ?? {}).map(([key, value]) => `${key}=${typeof value === "string" ? value : JSON.stringify(value)}`);
  const parts = [
    `${dateTime(at)}:${time.slice(17, 19)}`,
    level.padEnd(5),
    `${name}[${pid}]`,
    event,
    ...(about === undefined ? [] : [about]),
  ];
  const text = `${parts.join(" ")}: ${message}${more.length > 0 ? ` (${more.join(", ")})` : ""}`;
  cli.out.data(plain(text));
  const why = error?.stack ?? error?.message;
  if (why !== undefined) for (const one of why.split("\n")) cli.out.data(`    ${plain(one)}`);
}

/** What others have said moves no cursor. */
const plain = (text: string): string => text.replaceAll(/\p{Cc}+/gu, " ");

function levelOf(given: string | undefined): number {
  const level = LOG_LEVELS.findIndex((l: LogLevel) => l === (given ?? "debug"));
  if (level >= 0) return level;
  throw new RequestError("USAGE", `--level ${given} is no level`, `Give one of ${LOG_LEVELS.join(", ")}.`);
}

function lastOf(given: string | undefined): number {
  if (given === undefined) return USUALLY_LAST;
  if (/^\d{1,9}$/.test(given)) return Number(given);
  throw new RequestError("USAGE", `--last ${given} is no number of lines`, "Give a whole number; 0 is all.");
}
