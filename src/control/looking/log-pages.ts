import { readdirSync } from "node:fs";
import { open, stat } from "node:fs/promises";
import { join } from "node:path";
import { fileKey, readCursor, writeCursor } from "./log-cursor.ts";
import { logFileOf, parseLogLine, type LogFile, type LogLine } from "./transcripts.ts";

export interface LogPart {
  step?: string | undefined;
  attempt?: string | undefined;
  role?: string | undefined;
}

export interface LogPageWanted {
  part: LogPart;
  after?: string | undefined;
  limit: number;
  now: number;
  /** Nothing is written any more of such an attempt: its files need not be named in the cursor once they are read. */
  isOver: (attempt: string) => boolean;
}

/** Read at a time of all files together; of one file at most and at least so much, and more only where one line is longer. */
const READ_AHEAD = 16 << 20;
const [LEAST_PIECE, MOST_PIECE] = [4096, 64 * 1024];
/** Characters a page holds at most, beyond its first line. */
const PAGE_CHARACTERS = 2_000_000;
/** A file system's clock is behind by as much, and a line is written a moment after its time was taken. */
const CLOCK_MS = 50;
const JUST_NOW_MS = 2000;

interface Reader {
  key: string;
  attempt: string;
  /** When it was looked at, before anything was read. */
  size: number;
  changedAt: number;
  /** Where the next line begins that is not in a page. */
  offset: number;
  /** Lines that are read already, each with where it ends. */
  ahead: { line: LogLine | undefined; end: number }[];
  more(): Promise<boolean>;
}

/**
 * At most `limit` lines of a run's transcripts after `after`, in order of time. The cursor tells how far each file was read, so that what is
 * written later is never left out and nothing comes twice, also after a restart.
 */
export async function readLogPage(
  folder: string,
  runId: string,
  { part, after = "", limit, now, isOver }: LogPageWanted,
): Promise<{ lines: LogLine[]; next: string }> {
  const before = readCursor(after);
  const files = namesIn(folder).flatMap((name) => {
    const file = logFileOf(runId, name);
    return file && isIn(file, part) ? [{ name, file }] : [];
  });
  const piece = Math.min(MOST_PIECE, Math.max(LEAST_PIECE, Math.floor(READ_AHEAD / Math.max(1, files.length))));
  const readers: Reader[] = [];
  for (const { name, file } of files) {
    const key = fileKey(name);
    const offset = before.offsets.get(key);
    const at = await stat(join(folder, name)).catch(() => undefined);
    // `clean` has removed it meanwhile.
    const wasDone = offset === undefined && isOver(file.attempt);
    if (!at || (wasDone && at.mtimeMs + CLOCK_MS <= before.doneUpTo)) continue;
    const reader = readerOf(join(folder, name), file, { key, offset: offset ?? 0, size: at.size, changedAt: at.mtimeMs, piece });
    await fill(reader);
    // It has grown all the same.
    if (wasDone) await skip(reader, before.doneUpTo);
    readers.push(reader);
  }
  const lines: LogLine[] = [];
  let characters = 0;
  while (lines.length < limit && characters < PAGE_CHARACTERS) {
    const first = earliest(readers);
    if (!first) break;
    const [taken] = first.ahead.splice(0, 1);
    if (taken?.line) lines.push(taken.line);
    characters += taken?.line?.text.length ?? 0;
    first.offset = taken?.end ?? first.offset;
    await fill(first);
  }
  const doneUpTo = Math.max(before.doneUpTo, doneAfter(readers, now));
  const isDone = (r: Reader): boolean => r.offset === r.size && r.changedAt + CLOCK_MS <= doneUpTo && isOver(r.attempt);
  const offsets = new Map(readers.flatMap((r) => (r.offset > 0 && !isDone(r) ? [[r.key, r.offset] as const] : [])));
  const isNothing = readers.length === 0 && after === "";
  return { lines, next: isNothing ? "" : writeCursor({ offsets, doneUpTo }) };
}

/**
 * Up to which time files that are read to their end need not be named: before all that is not read yet, so that none of it is passed over, and before
 * what may be written now.
 */
function doneAfter(readers: readonly Reader[], now: number): number {
  let upTo = now - JUST_NOW_MS;
  for (const { offset, size, changedAt, ahead } of readers)
    if (offset === 0 && size > 0) upTo = Math.min(upTo, changedAt + CLOCK_MS - 1, (ahead[0]?.line?.at ?? Infinity) - 1);
  return upTo;
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}

const isIn = (file: LogFile, { step, attempt, role }: LogPart): boolean =>
  (step === undefined || file.step === step) &&
  (attempt === undefined || file.attempt === attempt) &&
  (role === undefined || file.role === role);

/** The reader whose next line is the oldest; lines that were half written by a crash come first and count for nothing. */
function earliest(readers: readonly Reader[]): Reader | undefined {
  let found: Reader | undefined;
  for (const reader of readers) {
    const head = reader.ahead[0];
    if (!head) continue;
    if (!head.line) return reader;
    if (!found || head.line.at < (found.ahead[0]?.line?.at ?? 0)) found = reader;
  }
  return found;
}

async function fill(reader: Reader): Promise<void> {
  while (reader.ahead.length === 0 && (await reader.more()));
}

/** Passes over the lines at its beginning that were in earlier pages. */
async function skip(reader: Reader, upTo: number): Promise<void> {
  for (let head = reader.ahead[0]; head && (!head.line || head.line.at <= upTo); head = reader.ahead[0]) {
    reader.ahead.shift();
    reader.offset = head.end;
    await fill(reader);
  }
}

function readerOf(path: string, file: LogFile, at: Pick<Reader, "key" | "offset" | "size" | "changedAt"> & { piece: number }): Reader {
  const { piece: least, ...rest } = at;
  const reader: Reader = {
    ...rest,
    attempt: file.attempt,
    ahead: [],
    async more() {
      if (reader.offset >= reader.size) return false;
      const handle = await open(path).catch(() => undefined);
      if (!handle) return false;
      try {
        let bytes = Buffer.alloc(0);
        for (let from = reader.offset; ;) {
          const piece = Buffer.allocUnsafe(Math.max(least, bytes.length));
          const { bytesRead } = await handle.read(piece, 0, piece.length, from);
          if (bytesRead === 0) return false;
          bytes = Buffer.concat([bytes, piece.subarray(0, bytesRead)]);
          from += bytesRead;
          if (piece.subarray(0, bytesRead).includes(0x0a)) break;
        }
        let from = 0;
        for (let end = bytes.indexOf(0x0a); end >= 0; end = bytes.indexOf(0x0a, from)) {
          const line = parseLogLine(file, bytes.toString("utf8", from, end));
          from = end + 1;
          reader.ahead.push({ line, end: reader.offset + from });
        }
        return true;
      } finally {
        await handle.close();
      }
    },
  };
  return reader;
}
