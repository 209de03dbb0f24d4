import { createHash } from "node:crypto";
import { existsSync, readdirSync } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { RequestError } from "../setup/failure.ts";
import { logFileOf, parseLogLine, type LogFile, type LogLine } from "./transcripts.ts";

export interface LogPart {
  step?: string | undefined;
  attempt?: string | undefined;
  role?: string | undefined;
}

/** Read of a file at a time; more only where one line is longer. */
const PIECE = 64 * 1024;
/** Characters a page holds at most, beyond its first line. */
const PAGE_CHARACTERS = 2_000_000;

interface Reader {
  key: string;
  /** Where the next line begins that is not in a page. */
  offset: number;
  /** Lines that are read already, each with where it ends. */
  ahead: { line: LogLine | undefined; end: number }[];
  more(): Promise<boolean>;
}

/**
 * At most `limit` lines of a run's transcripts after `after`, in order of time. The cursor holds how far each file was read, so that what is
 * written later is never left out and nothing comes twice, also after a restart.
 */
export async function readLogPage(
  folder: string,
  runId: string,
  { part, after = "", limit }: { part: LogPart; after?: string | undefined; limit: number },
): Promise<{ lines: LogLine[]; next: string }> {
  const offsets = readCursor(after);
  const files = existsSync(folder) ? readdirSync(folder).sort() : [];
  const readers = files.flatMap((name) => {
    const file = logFileOf(runId, name);
    return file && isIn(file, part) ? [readerOf(join(folder, name), file, keyOf(name), offsets.get(keyOf(name)) ?? 0)] : [];
  });
  const lines: LogLine[] = [];
  let characters = 0;
  for (const reader of readers) await fill(reader);
  while (lines.length < limit && characters < PAGE_CHARACTERS) {
    const first = earliest(readers);
    if (!first) break;
    const [taken] = first.ahead.splice(0, 1);
    if (taken?.line) lines.push(taken.line);
    characters += taken?.line?.text.length ?? 0;
    first.offset = taken?.end ?? first.offset;
    await fill(first);
  }
  for (const { key, offset } of readers) if (offset > 0) offsets.set(key, offset);
  return { lines, next: [...offsets].map(([key, offset]) => `${key}${offset.toString(36)}`).join(".") };
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

function readerOf(path: string, file: LogFile, key: string, offset: number): Reader {
  const reader: Reader = {
    key,
    offset,
    ahead: [],
    async more() {
      const handle = await open(path).catch(() => undefined);
      // `clean` has removed it meanwhile.
      if (!handle) return false;
      try {
        let bytes = Buffer.alloc(0);
        for (let at = reader.offset; ;) {
          const piece = Buffer.alloc(Math.max(PIECE, bytes.length));
          const { bytesRead } = await handle.read(piece, 0, piece.length, at);
          if (bytesRead === 0) return false;
          bytes = Buffer.concat([bytes, piece.subarray(0, bytesRead)]);
          at += bytesRead;
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

const KEY_LENGTH = 6;
const keyOf = (name: string): string => createHash("sha256").update(name).digest("hex").slice(0, KEY_LENGTH);

function readCursor(text: string): Map<string, number> {
  if (text === "") return new Map();
  if (!/^[0-9a-f]{6}[0-9a-z]{1,9}(\.[0-9a-f]{6}[0-9a-z]{1,9})*$/.test(text))
    throw new RequestError("USAGE", "`after` is no cursor of these logs", "Give the `next` of the page before, or leave it out.");
  return new Map(text.split(".").map((one) => [one.slice(0, KEY_LENGTH), Number.parseInt(one.slice(KEY_LENGTH), 36)]));
}
