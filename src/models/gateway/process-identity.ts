import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";

/** A process for ever: a pid alone is reused. */
export interface ProcessIdentity {
  pid: number;
  /** As the system tells it; an opaque string. Empty when it cannot be told: then the pid alone is compared. */
  startTime: string;
}

/** Start time of a living process; `undefined` when there is none, or only its remains (a zombie). */
export function startTimeOf(pid: number): string | undefined {
  if (!Number.isInteger(pid) || pid < 1) return undefined;
  if (process.platform !== "linux") {
    const ps = spawnSync("ps", ["-o", "stat=,lstart=", "-p", String(pid)], {
      encoding: "utf8",
      env: { LC_ALL: "C", PATH: "/bin:/usr/bin" },
    });
    const [state, ...start] = ps.stdout?.trim().split(/\s+/) ?? [];
    return state && !state.startsWith("Z") ? start.join(" ") : undefined;
  }
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The name in parentheses may hold anything, spaces and parentheses included; fields 3 (state) and 22 (start) follow it.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" || fields[0] === "X" ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

export const thisProcess = (): ProcessIdentity => ({ pid: process.pid, startTime: startTimeOf(process.pid) ?? "" });

export function isAlive({ pid, startTime }: ProcessIdentity): boolean {
  const now = startTimeOf(pid);
  return now !== undefined && (startTime === "" || startTime === now);
}

/** `pid:startTime`, for records. */
export const writeIdentity = (id: ProcessIdentity): string => `${id.pid}:${id.startTime}`;

function parseIdentity(text: string): ProcessIdentity {
  const colon = text.indexOf(":");
  return { pid: Number(text.slice(0, colon)), startTime: text.slice(colon + 1) };
}

/** Whether the gateway that wrote a spool record (`gateway` in it) can still settle it. */
export const isGatewayAlive = (gateway: string): boolean => isAlive(parseIdentity(gateway));
