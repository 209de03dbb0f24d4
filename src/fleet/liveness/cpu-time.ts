import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";

/** What a family of processes has used so far. */
export interface FamilyUse {
  /** Processor time of those that live, and of their children that ended and were waited for. Falls when one ends that nobody waits for. */
  cpuMs: number;
  rssBytes: number;
  processes: number;
}

/** The kernel counts processor time in these everywhere that Node runs (USER_HZ), whatever its own clock. */
const TICKS_A_SECOND = 100;

interface Row {
  pid: number;
  ppid: number;
  pgid: number;
  cpuMs: number;
  /** Asked for only of those that belong to the family. */
  rssBytes: () => number;
}

/**
 * Use of a process, of what it started, and of its process group. `undefined` when the process is gone or the system does not tell. Linux reads
 * /proc (some 10 microseconds a process); elsewhere `ps` is asked, which tells of living processes only.
 */
export function familyUse(pid: number, platform: NodeJS.Platform = process.platform): FamilyUse | undefined {
  const rows = platform === "linux" ? linuxRows() : psRows();
  const first = rows.find((row) => row.pid === pid);
  if (!first) return undefined;
  const children = Map.groupBy(rows, (row) => row.ppid);
  const family = new Set<Row>();
  const add = (row: Row): void => {
    if (family.has(row)) return;
    family.add(row);
    for (const child of children.get(row.pid) ?? []) add(child);
  };
  for (const row of rows) if (row.pid === pid || (row.pgid === first.pgid && first.pgid === pid)) add(row);
  const sum = (of: (row: Row) => number): number => [...family].reduce((total, row) => total + of(row), 0);
  return { cpuMs: sum((row) => row.cpuMs), rssBytes: sum((row) => row.rssBytes()), processes: family.size };
}

function linuxRows(): Row[] {
  return readdirSync("/proc").flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "latin1");
      // Everything counts from the last bracket: the name before it may hold anything.
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      if (fields[0] === "Z" || fields[0] === "X") return [];
      const at = (n: number): number => Number(fields[n]);
      const ticks = at(11) + at(12) + at(13) + at(14);
      return [{ pid: Number(name), ppid: at(1), pgid: at(2), cpuMs: (ticks * 1000) / TICKS_A_SECOND, rssBytes: () => residentBytes(name) }];
    } catch {
      return []; // It ended in the meantime.
    }
  });
}

/** From `status`, which tells kilobytes: `stat` tells pages, whose size differs between machines. */
function residentBytes(pid: string): number {
  try {
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1] ?? 0) * 1024;
  } catch {
    return 0; // It ended in the meantime.
  }
}

function psRows(): Row[] {
  try {
    const out = execFileSync("/bin/ps", ["-ax", "-o", "pid=,ppid=,pgid=,time=,rss="], {
      encoding: "utf8",
      env: { LC_ALL: "C" },
      stdio: ["ignore", "pipe", "ignore"],
      maxBuffer: 64 << 20,
    });
    return parsePsRows(out);
  } catch {
    return [];
  }
}

/** `12 1 12 0:03.21 5120`; times as `[[days-]hours:]minutes:seconds[.hundredths]`. */
export function parsePsRows(out: string): Row[] {
  return out.split("\n").flatMap((line) => {
    const [, pid, ppid, pgid, days, clock, rss] = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(?:(\d+)-)?([\d:.]+)\s+(\d+)\s*$/.exec(line) ?? [];
    if (clock === undefined) return [];
    const seconds = clock.split(":").reduce((total, part) => total * 60 + Number(part), 0) + Number(days ?? 0) * 86_400;
    return [{ pid: Number(pid), ppid: Number(ppid), pgid: Number(pgid), cpuMs: seconds * 1000, rssBytes: () => Number(rss) * 1024 }];
  });
}
