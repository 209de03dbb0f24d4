import { appendFileSync, closeSync, existsSync, fsyncSync, mkdirSync, openSync, readFileSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { z } from "zod";
import { cellKey, type Cell } from "./cells.ts";

const CellShape = { task: z.string(), agent: z.string(), n: z.number().int(), digest: z.string() };

/** What became of a run, as the journal told. */
const Ended = z.object({
  kind: z.literal("ended"),
  ...CellShape,
  runId: z.string(),
  type: z.string(),
  tier: z.string(),
  verdict: z.enum(["accepted", "refused", "failed", "interrupted", "none"]),
  failure: z.string().optional(),
  /** Whether it tells of the agent's work, as routing counts it. Absent: it says nothing of that. */
  accepted: z.boolean().optional(),
  /** Names of the gates that refused; `contract` where the result was not what was declared. */
  refusedBy: z.array(z.string()),
  /** Absent: nobody knows. */
  microUsd: z.number().optional(),
  /** From the start of the attempt to the word of its gates. */
  ms: z.number(),
  at: z.number(),
});
export type EndedCell = z.infer<typeof Ended>;

const Line = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("started"), ...CellShape, runId: z.string(), at: z.number() }),
  Ended,
]);
type Line = z.infer<typeof Line>;

/**
 * What was measured, a line at a time, never changed: it is on disk before the next run starts, and a run is in it before it is in the journal. So
 * a benchmark that was stopped or killed goes on where it was, with the runs that were under way.
 */
export class ResultsFile {
  readonly path: string;
  readonly #started = new Map<string, string>();
  readonly #ended = new Map<string, EndedCell>();

  constructor(path: string) {
    this.path = path;
    this.read();
  }

  /** Again, when another process may have written. */
  read(): void {
    if (!existsSync(this.path)) return;
    const text = readFileSync(this.path, "utf8");
    for (const line of text.split("\n")) this.#take(line);
    // Killed in the middle of a line: the next one must not become part of it.
    if (text !== "" && !text.endsWith("\n")) appendFileSync(this.path, "\n");
  }

  ended(cell: Cell): EndedCell | undefined {
    return this.#ended.get(cellKey(cell));
  }

  /** The run that was begun for it and has no end here. */
  begun(cell: Cell): string | undefined {
    return this.#started.get(cellKey(cell));
  }

  start(cell: Cell, runId: string, at: number): void {
    this.#append({ kind: "started", ...cell, runId, at });
  }

  end(ended: EndedCell): void {
    this.#append(ended);
  }

  #append(line: Line): void {
    mkdirSync(dirname(this.path), { recursive: true, mode: 0o700 });
    const fd = openSync(this.path, "a", 0o600);
    try {
      writeSync(fd, `${JSON.stringify(line)}\n`);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    this.#note(line);
  }

  #take(text: string): void {
    if (text.trim() === "") return;
    let json: unknown;
    try {
      json = JSON.parse(text);
    } catch {
      return;
    }
    // A line of a later version is none of ours; what it measured is measured again.
    const line = Line.safeParse(json);
    if (line.success) this.#note(line.data);
  }

  #note(line: Line): void {
    const key = cellKey(line);
    if (line.kind === "started") this.#started.set(key, line.runId);
    else {
      this.#ended.set(key, line);
      this.#started.delete(key);
    }
  }
}
