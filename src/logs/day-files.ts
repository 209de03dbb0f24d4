import { closeSync, constants, fstatSync, mkdirSync, openSync, readdirSync, rmSync, statSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "../domain/index.ts";
import type { LogSink } from "./contract.ts";
import { lineOf } from "./line.ts";

/** In the home. */
export const LOGS_FOLDER = "logs";
const MOST_FILE_BYTES = 10_000_000;
const MOST_BYTES = 100_000_000;
const DAY_MS = 86_400_000;
const NAME = /^(\d{4}-\d{2}-\d{2})\.(\d{3})\.jsonl$/;

/** Files of a folder that are the log's, oldest first. */
export function logFiles(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => NAME.test(name))
      .toSorted();
  } catch {
    return [];
  }
}

/**
 * Appends lines to files of the home's `logs`, one or several a day (UTC), which all processes of the home share: each line is one write to the end
 * of a file, so no two get mixed, no file stays open, and nothing waits in a process that dies. What is too old, or too much, goes when a file is begun.
 * By hand, because the libraries for this (pino-roll, rotating-file-stream) take it that one process alone rotates a file.
 */
export function openLogFile(home: string, { clock, keepMs, mostFileBytes = MOST_FILE_BYTES, mostBytes = MOST_BYTES }: FileTuning): LogSink {
  const folder = join(home, LOGS_FOLDER);
  let name = "";
  let isBroken = false;
  const pick = (day: string): void => {
    const last = logFiles(folder).findLast((file) => file.startsWith(day));
    name = last ?? nameOf(day, 1);
    prune(folder, { before: clock.now() - keepMs, mostBytes, current: name });
  };
  return (record) => {
    const day = new Date(record.at).toISOString().slice(0, 10);
    if (!name.startsWith(day)) pick(day);
    let file = open(folder, name);
    try {
      if (file.size >= mostFileBytes) {
        closeSync(file.fd);
        name = nameOf(day, Number(NAME.exec(name)?.[2] ?? 0) + 1);
        prune(folder, { before: clock.now() - keepMs, mostBytes, current: name });
        file = open(folder, name);
      }
      // What a full disk took a part of stays a line of its own.
      const bytes = Buffer.from(`${isBroken ? "\n" : ""}${lineOf(record)}\n`);
      isBroken = true;
      if (writeSync(file.fd, bytes) === bytes.length) isBroken = false;
    } finally {
      closeSync(file.fd);
    }
  };
}

export interface FileTuning {
  clock: Clock;
  keepMs: number;
  mostFileBytes?: number;
  mostBytes?: number;
}

const nameOf = (day: string, n: number): string => `${day}.${String(Math.min(n, 999)).padStart(3, "0")}.jsonl`;

function open(folder: string, name: string): { fd: number; size: number } {
  const { O_APPEND, O_CREAT, O_WRONLY, O_NOFOLLOW } = constants;
  const flags = O_APPEND | O_CREAT | O_WRONLY | O_NOFOLLOW;
  let fd: number;
  try {
    fd = openSync(join(folder, name), flags, 0o600);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    // The folder alone: a home that is gone is not made again.
    mkdirSync(folder, { mode: 0o700 });
    fd = openSync(join(folder, name), flags, 0o600);
  }
  return { fd, size: fstatSync(fd).size };
}

/** Several processes may do it at once. */
function prune(folder: string, { before, mostBytes, current }: { before: number; mostBytes: number; current: string }): void {
  let bytes = 0;
  for (const name of logFiles(folder).toReversed()) {
    if (name === current) continue;
    const file = join(folder, name);
    bytes += statSync(file, { throwIfNoEntry: false })?.size ?? 0;
    const day = NAME.exec(name)?.[1] ?? "";
    const isOld = Date.parse(day) + DAY_MS < before;
    if (isOld || bytes > mostBytes) rmSync(file, { force: true });
  }
}
