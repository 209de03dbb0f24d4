import { setTimeout as sleep } from "node:timers/promises";
import type { ProcessRecord } from "../contract.ts";
import { processTable, type ProcessRow } from "./table.ts";

/** In the environment of every process the host starts, and so of what these start. */
export const ATTEMPT_VARIABLE = "STEPFALL_ATTEMPT";

/** How long a process group gets after TERM, and again after INT, before the next signal. Some agents outlive TERM by many seconds. */
export interface EndGrace {
  termMs: number;
  intMs: number;
}

export const defaultGrace: EndGrace = { termMs: 2000, intMs: 2000 };

/** When a process started, as an opaque string; with the pid it names a process for ever. `undefined`: no such process. */
export const processStartTime = (pid: number): string | undefined => (pid > 0 ? processTable().find(pid)?.startTime : undefined);

/** Whether it lives and does nothing, since somebody has stopped it. */
export const isStopped = (pid: number): boolean => pid > 0 && processTable().isStopped(pid);

/** Whether the recorded process itself still runs: not another one that was given its pid, and not a zombie. */
export const isAlive = (record: Pick<ProcessRecord, "pid" | "startTime">): boolean =>
  record.startTime !== "" && processStartTime(record.pid) === record.startTime;

export interface MemberQuery {
  leader?: ProcessRecord | undefined;
  /** Also finds processes that left the group and the session, by their environment. */
  attempt?: string | undefined;
  /** The caller saw the group alive without a gap since its leader was: its number cannot have been given to another. */
  groupIsOurs?: boolean;
}

/**
 * What is left of a started process: its group, its session, whoever carries the attempt in its environment, and the
 * children of all these. A group number alone proves nothing after a crash: it counts only while the recorded leader
 * lives, or while a member carries the attempt's name.
 */
export function findMembers({ leader, attempt, groupIsOurs = false }: MemberQuery): ProcessRow[] {
  const table = processTable();
  const rows = table.list().filter((row) => row.pid > 1 && row.pid !== process.pid);
  const inGroup = (row: ProcessRow) => leader !== undefined && leader.pgid > 1 && (row.pgid === leader.pgid || row.sid === leader.pgid);
  const younger = leader?.startTime ? rows.filter((row) => Number(row.startTime) >= Number(leader.startTime)) : rows;
  const marked = new Set(attempt === undefined ? [] : table.marked(younger, ATTEMPT_VARIABLE, attempt));

  const leaderRow = rows.find((row) => row.pid === leader?.pid);
  const trusted = leaderRow
    ? leaderRow.startTime === leader?.startTime
    : groupIsOurs || rows.some((row) => inGroup(row) && marked.has(row));

  const found = new Set(rows.filter((row) => marked.has(row) || (trusted && inGroup(row))));
  for (let before = -1; before !== found.size;) {
    before = found.size;
    const pids = new Set([...found].map((row) => row.pid));
    for (const row of rows) if (pids.has(row.ppid)) found.add(row);
  }
  return [...found];
}

/** Answers false when we may not signal it (another user's process): then it is not ours to wait for either. */
function kill(pid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "EPERM";
  }
}

/**
 * TERM, INT, KILL, until `find` answers nobody; answers whom it ended. Everyone seen once stays known by pid and start
 * time, so that a child does not get lost when the parent it was found by dies first.
 */
export async function endMembers(find: () => ProcessRow[], grace: EndGrace): Promise<ProcessRow[]> {
  const known = new Map<string, ProcessRow>();
  const forbidden = new Set<string>();
  const id = (row: ProcessRow) => `${row.pid}@${row.startTime}`;
  const left = (): ProcessRow[] => {
    const now = new Map(find().map((row) => [id(row), row]));
    for (const [key, row] of known) if (!now.has(key) && isAlive(row)) now.set(key, row);
    for (const [key, row] of now) known.set(key, row);
    return [...now.values()].filter((row) => !forbidden.has(id(row)));
  };
  const signalAll = (rows: ProcessRow[], signal: NodeJS.Signals) => {
    for (const row of rows) if (!kill(row.pid, signal)) forbidden.add(id(row));
  };

  let rows = left();
  for (const [signal, waitMs] of [
    ["SIGTERM", grace.termMs],
    ["SIGINT", grace.intMs],
  ] as const) {
    if (rows.length === 0) break;
    signalAll(rows, signal);
    const until = performance.now() + waitMs;
    for (let pause = 2; rows.length > 0 && performance.now() < until; pause = Math.min(pause * 2, 50)) {
      await sleep(Math.min(pause, Math.max(1, until - performance.now())));
      rows = left();
    }
  }
  // KILL again and again: a process that forks quickly may have had a child between the listing and the signal.
  for (let pause = 2; rows.length > 0; pause = Math.min(pause * 2, 250), rows = left()) {
    signalAll(rows, "SIGKILL");
    await sleep(pause);
  }
  return [...known.values()].filter((row) => !forbidden.has(id(row)));
}

/** Ends a recorded process with its group and children: TERM, INT, KILL. Answers whether there was anything to end. */
export async function endProcess(record: ProcessRecord, grace: EndGrace = defaultGrace): Promise<boolean> {
  if (record.pid <= 1) return false;
  return (await endMembers(() => findMembers({ leader: record }), grace)).length > 0;
}
