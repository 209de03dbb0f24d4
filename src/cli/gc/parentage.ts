import { spawnSync } from "node:child_process";
import { textOf } from "./on-disk.ts";

interface Parent {
  pid: number;
  /** Of the process itself. */
  name: string;
}

/** Names of programs that take in processes whose parent has died. */
const FOSTERS = /^(?:systemd|init|tini|dumb-init|docker-init|catatonit|s6-svscan|launchd|runit)$/;

/**
 * Whether the process that started these is gone: the one on top has been handed to the system. Where that cannot be told it is answered with
 * no. Asked of processes that the store does not know: they may belong to a `stepfall` that is only just beginning a run, or offers an agent.
 */
export function isOnItsOwn(pids: ReadonlySet<number>, env: Readonly<Record<string, string | undefined>>): boolean {
  const [first] = pids;
  if (first === undefined) return true;
  let top = first;
  let parent = parentOf(top);
  for (const seen = new Set([top]); parent && pids.has(parent.pid) && !seen.has(parent.pid); parent = parentOf(top)) {
    top = parent.pid;
    seen.add(top);
  }
  if (!parent) return false;
  if (parent.pid <= 1) return true;
  const foster = parentOf(parent.pid);
  if (foster && FOSTERS.test(foster.name)) return true;
  // Whoever takes in orphans of this session stands above us too; when an agent calls us, so does its engine.
  return env["STEPFALL_ATTEMPT"] === undefined && ancestors().has(parent.pid);
}

function ancestors(): Set<number> {
  const above = new Set<number>();
  for (let pid = process.ppid; pid > 1 && !above.has(pid); pid = parentOf(pid)?.pid ?? 0) above.add(pid);
  return above;
}

function parentOf(pid: number): Parent | undefined {
  if (process.platform === "linux") {
    const stat = textOf(`/proc/${pid}/stat`);
    if (stat === undefined) return undefined;
    const end = stat.lastIndexOf(")");
    return { name: stat.slice(stat.indexOf("(") + 1, end), pid: Number(stat.slice(end + 2).split(" ")[1]) };
  }
  const ps = spawnSync("ps", ["-o", "ppid=,comm=", "-p", String(pid)], { encoding: "utf8", env: { LC_ALL: "C", PATH: "/bin:/usr/bin" } });
  const [, ppid, name] = /^\s*(\d+)\s+(?:.*\/)?(\S+)\s*$/.exec(ps.stdout ?? "") ?? [];
  return ppid === undefined || name === undefined ? undefined : { pid: Number(ppid), name };
}
