import type { LogSettings } from "../../config/index.ts";
import type { Clock } from "../../domain/index.ts";
import { createLog, noLog, openLogFile } from "../../logs/index.ts";

/** Says something: on stderr, which is gateway.log, and in the home's log. */
export type Say = (level: "info" | "warn" | "error", event: string, line: string) => void;

/** For a process of the gateway. `log`: as the settings of the engine that started it say; absent: stderr alone. */
export function openSay(
  name: "gateway" | "gateway-worker",
  { home, log: settings }: { home: string; log?: LogSettings | undefined },
  { clock, mask }: { clock: Clock; mask: (text: string) => string },
): Say {
  const log =
    settings?.file === true
      ? createLog({
          process: name,
          pid: process.pid,
          clock,
          level: settings.level,
          mask,
          sinks: [openLogFile(home, { clock, keepMs: settings.keepMs })],
        }).child({ room: "gateway" })
      : noLog;
  return (level, event, line) => {
    const text = mask(line);
    process.stderr.write(`${new Date(clock.now()).toISOString()} ${process.pid} ${text}\n`);
    log[level](event, text);
  };
}
