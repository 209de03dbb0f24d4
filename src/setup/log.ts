import type { Config } from "../config/index.ts";
import { createLog, openLogFile, type Log, type LogSink } from "../logs/index.ts";
import type { Surroundings } from "./surroundings.ts";

/** The log of this process, as the settings say. `process`: what it is. `more`: further places lines go to; may be filled later. */
export function openLog(
  { clock }: Pick<Surroundings, "clock">,
  { home, secrets, log }: Pick<Config, "home" | "secrets" | "log">,
  { process: name, more = [] }: { process: string; more?: LogSink[] },
): Log {
  if (log.file) more.unshift(openLogFile(home, { clock, keepMs: log.keepMs }));
  return createLog({ process: name, pid: process.pid, clock, level: log.level, mask: (text) => secrets.mask(text), sinks: more });
}
