import { hostname } from "node:os";
import { isStopped, processStartTime } from "../agents/index.ts";
import { formatHolder, parseHolder } from "../fleet/index.ts";

/** Who this process is, in leases. */
export const thisHolder = (): string =>
  formatHolder({ host: hostname(), pid: process.pid, startTime: processStartTime(process.pid) ?? "" });

/** True when the holder was a process of this machine and is gone. Of other machines nothing is known: their leases have to run out. */
export function isDead(holder: string): boolean {
  const h = parseHolder(holder);
  return h !== undefined && h.host === hostname() && processStartTime(h.pid) !== h.startTime;
}

export const isOfThisMachine = (holder: string): boolean => parseHolder(holder)?.host === hostname();

/** True when the holder is a process of this machine that does nothing until somebody lets it go on (SIGSTOP, Ctrl-Z). */
export function isHalted(holder: string): boolean {
  const h = parseHolder(holder);
  return h !== undefined && h.host === hostname() && isStopped(h.pid);
}

/** `pid 4711 on this machine`, for people. */
export function describeHolder(holder: string): string {
  const h = parseHolder(holder);
  return h ? `process ${h.pid}${h.host === hostname() ? "" : ` on ${h.host}`}` : holder;
}
