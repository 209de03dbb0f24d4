import { execFileSync } from "node:child_process";
import { closeSync, openSync, readdirSync, readFileSync, readSync } from "node:fs";
import { AgentError } from "../errors.ts";

/** One line of the system's process table. Zombies are left out: nothing runs in them any more. */
export interface ProcessRow {
  pid: number;
  ppid: number;
  pgid: number;
  /** Session; 0 where the system does not tell (macOS). */
  sid: number;
  /** Linux: clock ticks since boot. macOS: epoch seconds. */
  startTime: string;
}

/** What the kernel knows of processes, on one kind of system. */
export interface ProcessTable {
  list(): ProcessRow[];
  find(pid: number): ProcessRow | undefined;
  /** By SIGSTOP, Ctrl-Z or a debugger: it does nothing until somebody lets it go on. */
  isStopped(pid: number): boolean;
  /** Those of `rows` that were started with `name=value` in their environment. Other users' processes never are. */
  marked(rows: readonly ProcessRow[], name: string, value: string): ProcessRow[];
  /** Memory that a process holds now with all its descendants, shared pages counted in each. Cheap: it is asked often. */
  familyRssBytes(pid: number): number;
}

/** `pid (comm) S ppid pgrp session ...`; comm may hold spaces and brackets, so everything counts from the last one. */
export function parseStat(stat: string): ProcessRow | undefined {
  const close = stat.lastIndexOf(")");
  const fields = stat.slice(close + 2).split(" ");
  const [state, ppid, pgid, sid] = fields;
  const startTime = fields[19];
  if (close < 0 || startTime === undefined || state === "Z" || state === "X") return undefined;
  return { pid: Number.parseInt(stat, 10), ppid: Number(ppid), pgid: Number(pgid), sid: Number(sid), startTime };
}

/** A stat line is some 300 bytes, and one read gives all of it: three system calls each, for there may be thousands. */
const statBuffer = Buffer.alloc(4096);

const linux: ProcessTable = {
  list() {
    const rows: ProcessRow[] = [];
    for (const name of readdirSync("/proc")) {
      const first = name.charCodeAt(0);
      if (first < 48 || first > 57) continue;
      const row = linux.find(Number(name));
      if (row) rows.push(row);
    }
    return rows;
  },
  find(pid) {
    let fd: number | undefined;
    try {
      fd = openSync(`/proc/${pid}/stat`, "r");
      return parseStat(statBuffer.toString("latin1", 0, readSync(fd, statBuffer)));
    } catch {
      return undefined; // it ended in the meantime
    } finally {
      if (fd !== undefined) closeSync(fd);
    }
  },
  isStopped(pid) {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
      return /^\) [Tt] /.test(stat.slice(stat.lastIndexOf(")")));
    } catch {
      return false; // it is gone
    }
  },
  marked(rows, name, value) {
    const entry = Buffer.from(`${name}=${value}\0`);
    return rows.filter(({ pid }) => {
      try {
        const environ = readFileSync(`/proc/${pid}/environ`);
        const at = environ.indexOf(entry);
        return at === 0 || (at > 0 && environ[at - 1] === 0);
      } catch {
        return false; // gone, or another user's
      }
    });
  },
  familyRssBytes(pid) {
    try {
      const kib = Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1] ?? 0);
      return kib * 1024 + childrenOf(pid).reduce((sum, child) => sum + linux.familyRssBytes(child), 0);
    } catch {
      return 0; // gone in the meantime
    }
  },
};

/** `LC_ALL=C` because lstart is a date in the user's language otherwise. */
const ps = (...args: string[]): string => {
  try {
    return execFileSync("/bin/ps", args, {
      encoding: "utf8",
      env: { LC_ALL: "C", TZ: "UTC" },
      stdio: ["ignore", "pipe", "ignore"],
      maxBuffer: 64 << 20,
    });
  } catch {
    return ""; // ps exits 1 when no process matches
  }
};

const columns = ["-o", "pid=,ppid=,pgid=,stat=,lstart="];

/** Asked of each thread: a child belongs to the one that started it. A scan of all processes would take milliseconds. */
function childrenOf(pid: number): number[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((thread) => {
    try {
      return readFileSync(`/proc/${pid}/task/${thread}/children`, "latin1").split(" ").filter(Boolean).map(Number);
    } catch {
      return []; // the thread has ended, or this kernel does not tell
    }
  });
}

export function parsePs(output: string): ProcessRow[] {
  return output.split("\n").flatMap((line) => {
    const [, pid, ppid, pgid, stat, started] = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(\S+)\s+(.+?)\s*$/.exec(line) ?? [];
    if (!started || stat?.startsWith("Z")) return [];
    return [{ pid: Number(pid), ppid: Number(ppid), pgid: Number(pgid), sid: 0, startTime: String(Date.parse(`${started} UTC`) / 1000) }];
  });
}

const darwin: ProcessTable = {
  list: () => parsePs(ps("-ax", ...columns)),
  find: (pid) => parsePs(ps("-p", String(pid), ...columns))[0],
  isStopped: (pid) => ps("-p", String(pid), "-o", "stat=").trim().startsWith("T"),
  marked(rows, name, value) {
    if (rows.length === 0) return [];
    const listing = ps("-E", "-ww", "-p", rows.map((r) => r.pid).join(","), "-o", "pid=,command=").split("\n");
    const found = new Set(listing.filter((line) => `${line} `.includes(` ${name}=${value} `)).map((line) => Number.parseInt(line, 10)));
    return rows.filter((row) => found.has(row.pid));
  },
  familyRssBytes(pid) {
    const rows = ps("-ax", "-o", "pid=,ppid=,rss=")
      .split("\n")
      .map((line) => line.trim().split(/\s+/).map(Number));
    const family = new Set([pid]);
    for (let before = 0; before !== family.size;) {
      before = family.size;
      for (const [child, parent] of rows) if (child !== undefined && parent !== undefined && family.has(parent)) family.add(child);
    }
    return rows.reduce((sum, [one, , kib]) => sum + (one !== undefined && family.has(one) ? (kib ?? 0) : 0), 0) * 1024;
  },
};

/** Only Linux and macOS; elsewhere a process cannot be ended safely, so none may be started. */
export function processTable(platform: NodeJS.Platform = process.platform): ProcessTable {
  if (platform === "linux") return linux;
  if (platform === "darwin") return darwin;
  throw new AgentError("AGENT_PLATFORM", `agent processes are not supported on ${platform}`, "Run Stepfall on Linux, macOS or in WSL.");
}
