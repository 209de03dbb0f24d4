import { existsSync, readdirSync, statSync } from "node:fs";
import { open, stat } from "node:fs/promises";
import { join } from "node:path";
import { attemptId } from "../../domain/index.ts";

/** One line that a process of an attempt wrote. */
export interface LogLine {
  attempt: string;
  step: string;
  n: number;
  /** `agent`, `setup`, `gates-1`, ... */
  role: string;
  seq: number;
  at: number;
  stream: "stdout" | "stderr";
  text: string;
}

/** A transcript: what one process of an attempt printed. */
export interface LogFile {
  attempt: string;
  step: string;
  n: number;
  role: string;
}

/** What the name of a file in a run's folder says; `undefined`: it is no transcript. */
export function logFileOf(runId: string, name: string): LogFile | undefined {
  const [, step, n, role] = /^(.+)-(\d+)\.([^.]+)\.ndjson$/.exec(name) ?? [];
  if (step === undefined || n === undefined || role === undefined) return undefined;
  const path = decodeURIComponent(step);
  return { attempt: attemptId(runId, path, Number(n)), step: path, n: Number(n), role: decodeURIComponent(role) };
}

/** `undefined`: half a line that a crash left. */
export function parseLogLine({ attempt, step, n, role }: LogFile, line: string): LogLine | undefined {
  try {
    const { seq, at, stream, text } = JSON.parse(line) as Pick<LogLine, "seq" | "at" | "stream" | "text">;
    if (typeof at !== "number" || typeof text !== "string") return undefined;
    return { attempt, step, n, role, seq, at, stream, text };
  } catch {
    return undefined;
  }
}

interface Source extends LogFile {
  file: string;
  offset: number;
  /** The beginning of a line whose end was not yet written. */
  rest: Buffer;
  /** It is read from somewhere in the middle of a line. */
  isCut: boolean;
}

const PIECE = 1 << 20;

/** Reads the transcripts of a run from where it stopped before: the same call shows all that is there, and then what is new. */
export class Transcripts {
  readonly #folder: string;
  readonly #runId: string;
  readonly #step: string | undefined;
  readonly #sources = new Map<string, Source>();
  readonly #tailBytes: number;
  #hasLooked = false;
  #buffer: Buffer | undefined;

  /** `tailBytes`: of a file that is there already only so much of its end. */
  constructor(folder: string, runId: string, step?: string, tailBytes = Infinity) {
    this.#tailBytes = tailBytes;
    this.#folder = folder;
    this.#runId = runId;
    this.#step = step;
  }

  /** What was written since the last call, in the order of time. */
  async next(): Promise<LogLine[]> {
    this.#look();
    this.#hasLooked = true;
    const lines: LogLine[] = [];
    for (const source of this.#sources.values()) await this.#read(source, lines);
    return lines.sort((a, b) => a.at - b.at || (a.attempt === b.attempt && a.role === b.role ? a.seq - b.seq : 0));
  }

  #look(): void {
    if (!existsSync(this.#folder)) return;
    for (const name of readdirSync(this.#folder).sort()) {
      if (this.#sources.has(name)) continue;
      const named = logFileOf(this.#runId, name);
      if (!named) continue;
      const file = join(this.#folder, name);
      const offset = this.#hasLooked ? 0 : Math.max(0, (statSync(file, { throwIfNoEntry: false })?.size ?? 0) - this.#tailBytes);
      const source = { ...named, file, offset, isCut: offset > 0, rest: Buffer.alloc(0) };
      if (this.#step === undefined || this.#step === source.step) this.#sources.set(name, source);
    }
  }

  async #read(source: Source, into: LogLine[]): Promise<void> {
    // Of hundreds of files few have grown; one may be cleaned away meanwhile.
    const { size } = await stat(source.file).catch(() => ({ size: 0 }));
    if (size <= source.offset) return;
    const handle = await open(source.file).catch(() => undefined);
    if (!handle) return;
    try {
      const buffer = (this.#buffer ??= Buffer.allocUnsafe(PIECE));
      for (;;) {
        const { bytesRead } = await handle.read(buffer, 0, PIECE, source.offset);
        if (bytesRead === 0) return;
        source.offset += bytesRead;
        const read = Buffer.concat([source.rest, buffer.subarray(0, bytesRead)]);
        const first = source.isCut ? read.indexOf(0x0a) : -1;
        if (source.isCut && first < 0) continue;
        source.isCut = false;
        const bytes = read.subarray(first + 1);
        const end = bytes.lastIndexOf(0x0a);
        source.rest = Buffer.from(bytes.subarray(end + 1));
        for (const line of bytes.subarray(0, Math.max(0, end)).toString("utf8").split("\n")) {
          const parsed = parseLogLine(source, line);
          if (parsed) into.push(parsed);
        }
      }
    } finally {
      await handle.close();
    }
  }
}

/** A line for people. What the chat agent says of itself is JSON: its gist is shown. `undefined`: nothing worth a line. */
export function readable(line: LogLine): string[] {
  if (line.role !== "agent" || line.stream !== "stdout" || !line.text.startsWith('{"type":')) return [line.text];
  try {
    const said = JSON.parse(line.text) as Record<string, unknown>;
    const text = (key: string): string => (typeof said[key] === "string" ? said[key] : "");
    switch (said["type"]) {
      case "text":
        return text("text").trimEnd().split("\n");
      case "tool":
        return [`> ${text("label")}`];
      case "tool-result":
        return text("output")
          .trimEnd()
          .split("\n")
          .slice(0, 12)
          .map((l) => `  ${l}`);
      case "message":
        return [`[${text("by")} says] ${text("text")}`];
      case "usage":
        return [];
      case "done":
        // Its text was said already, a line at a time.
        return ["[done]"];
      case "failed":
        return [`[failed: ${text("because")}] ${text("message")}`];
      default:
        return [line.text];
    }
  } catch {
    return [line.text];
  }
}
