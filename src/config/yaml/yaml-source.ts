import { LineCounter, parseDocument, type Document, type YAMLError } from "yaml";
import { CONTROL, holdsControls, Locator, TooMuch, type Located } from "./located.ts";
import { inOrder, type Problem, type ReadingCode } from "./problem.ts";
import { yamlInPlainWords } from "./yaml-words.ts";

export type Path = readonly PropertyKey[];
export interface Place {
  line: number;
  col: number;
}

/** Largest YAML text that is read, bytes. */
export const MAX_YAML_BYTES = 1024 * 1024;

const MOST_SYNTAX_PROBLEMS = 20;
/** Problems of the text itself; a hostile one could have a million, and nobody reads past ten. */
const MOST_READING_PROBLEMS = 1000;

/** A YAML text as plain data, with the place of every part of it. */
export class YamlSource {
  readonly file: string;
  readonly text: string;
  /** Plain maps, lists, texts, numbers, booleans and nulls; no cycles. `null` for an empty text. */
  readonly value: unknown;
  readonly #root: Located;
  readonly #lines: LineCounter;

  constructor(file: string, text: string, root: Located, lines: LineCounter) {
    this.file = file;
    this.text = text;
    this.value = root.value;
    this.#root = root;
    this.#lines = lines;
  }

  /** Place of the value at `path`, or of its key; of the nearest part above when there is none. */
  place(path: Path, of: "key" | "value" = "value"): Place {
    let node = this.#root;
    let offset = node.start;
    for (const [i, step] of path.entries()) {
      const entry = childOf(node, step);
      if (!entry) break;
      node = entry.value;
      const last = i === path.length - 1;
      offset = (last && of === "key") || (node.kind === "scalar" && node.blank) ? entry.keyStart : node.start;
    }
    return this.#at(offset);
  }

  /** A problem at `path`. */
  problem<C extends string>(code: C, path: Path, message: string, hint: string, of: "key" | "value" = "value"): Problem<C> {
    return { code, file: this.file, ...this.place(path, of), message, hint };
  }

  has(path: Path): boolean {
    return this.#node(path) !== undefined;
  }

  /** The plain value at `path`. */
  valueAt(path: Path): unknown {
    return this.#node(path)?.value;
  }

  /** Keys of the map at `path` in the order of the file (plain objects put `1` before `a`). */
  keys(path: Path): string[] {
    const node = this.#node(path);
    return node?.kind === "map" ? [...node.entries.keys()] : [];
  }

  /** How a scalar is spelt: `1.10` for the number 1.1. */
  spelling(path: Path): string | undefined {
    const node = this.#node(path);
    return node?.kind === "scalar" ? node.text : undefined;
  }

  /** Every text, keys too, that holds `needle`, with its path. A value that several aliases name is answered once. */
  *find(needle: string): Generator<{ path: string[]; place: Place }> {
    if (!this.text.includes(needle) && !this.text.includes("\\")) return;
    const seen = new Set<Located>();
    const stack: { node: Located; path: string[] }[] = [{ node: this.#root, path: [] }];
    for (let top = stack.pop(); top; top = stack.pop()) {
      const { node, path } = top;
      if (seen.has(node)) continue;
      seen.add(node);
      if (node.kind === "scalar" && typeof node.value === "string" && node.value.includes(needle)) {
        const inside = this.text.slice(node.start, node.end).indexOf(needle);
        yield { path, place: this.#at(node.start + Math.max(0, inside)) };
      } else if (node.kind === "list") {
        node.items.forEach((item, i) => stack.push({ node: item, path: [...path, String(i)] }));
      } else if (node.kind === "map") {
        for (const [key, entry] of node.entries) {
          if (key.includes(needle)) yield { path: [...path, key], place: this.#at(entry.keyStart) };
          stack.push({ node: entry.value, path: [...path, key] });
        }
      }
    }
  }

  #node(path: Path): Located | undefined {
    let node: Located | undefined = this.#root;
    for (const step of path) node = node && childOf(node, step)?.value;
    return node;
  }

  #at(offset: number): Place {
    return placeOf(this.#lines, offset);
  }
}

export type YamlReading =
  | { ok: true; source: YamlSource; problems: Problem<ReadingCode>[] }
  | { ok: false; problems: Problem<ReadingCode>[] };

/**
 * Reads one YAML document. `ok: false` when there is nothing to go on with; `ok: true` with problems (a key given twice,
 * an alias without an anchor) when the rest can still be checked. Never throws; bounded in time by MAX_YAML_BYTES.
 */
export function readYaml(text: string, file: string): YamlReading {
  const problems: Problem<ReadingCode>[] = [];
  const bytes = Buffer.byteLength(text);
  if (bytes > MAX_YAML_BYTES) {
    const message = `The text has ${bytes} bytes; at most ${MAX_YAML_BYTES} are read`;
    return {
      ok: false,
      problems: [{ code: "FILE_TOO_LARGE", file, line: 0, col: 0, message, hint: "Make it smaller or split it" }],
    };
  }
  const body = text.startsWith("\uFEFF") ? text.slice(1) : text;
  const lines = lineStarts(body);
  const complain = (offset: number, code: ReadingCode, message: string, hint: string): void => {
    if (problems.length < MOST_READING_PROBLEMS) problems.push({ code, file, ...placeOf(lines, offset), message, hint });
  };
  if (holdsControls(body)) {
    const offset = Math.max(0, body.search(CONTROL));
    const code = body.charCodeAt(offset).toString(16).padStart(4, "0");
    complain(offset, "YAML_CONTROL_CHARACTER", `The file holds the control character U+${code}`, "Remove it; is this a text file?");
    return { ok: false, problems };
  }
  const parsed = parseQuietly(body);
  if (!parsed.ok) {
    complain(0, "YAML_TOO_DEEP", "The values are nested too deeply", "Nest them less deeply");
    return { ok: false, problems };
  }
  const errors = parsed.document.errors as readonly YAMLError[];
  for (const error of [...errors, ...parsed.document.warnings].slice(0, 1000)) {
    const words = yamlInPlainWords(error.code, error.message);
    complain(error.pos[0], words.code, words.message, words.hint);
  }
  // One mistake makes the parser stumble again and again: only the first of each line helps.
  if (errors.length > 0) return { ok: false, problems: firstOfEachLine(inOrder(problems)).slice(0, MOST_SYNTAX_PROBLEMS) };
  try {
    const root = new Locator(complain, (offset) => placeOf(lines, offset).line).locate(parsed.document.contents, 0);
    return { ok: true, source: new YamlSource(file, body, root, lines), problems };
  } catch (cause) {
    if (!(cause instanceof TooMuch)) throw cause;
    return { ok: false, problems };
  }
}

function parseQuietly(text: string): { ok: true; document: Document.Parsed } | { ok: false } {
  // A hostile text makes a million error objects; without their stacks that takes 2 s instead of 9.
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  try {
    // Duplicates are found by Locator: the parser compares each key with each other, and knows one place only.
    // (With `silent` the parser would not tell of a second document.)
    return { ok: true, document: parseDocument(text, { uniqueKeys: false, prettyErrors: false, logLevel: "error" }) };
  } catch (cause) {
    if (cause instanceof RangeError) return { ok: false };
    throw cause;
  } finally {
    Error.stackTraceLimit = limit;
  }
}

function childOf(node: Located, step: PropertyKey): { keyStart: number; value: Located } | undefined {
  if (node.kind === "map") return node.entries.get(String(step));
  const item = node.kind === "list" ? node.items[Number(step)] : undefined;
  return item && { keyStart: item.start, value: item };
}

function lineStarts(text: string): LineCounter {
  const lines = new LineCounter();
  lines.addNewLine(0);
  for (let i = text.indexOf("\n"); i >= 0; i = text.indexOf("\n", i + 1)) lines.addNewLine(i + 1);
  return lines;
}

const placeOf = (lines: LineCounter, offset: number): Place => lines.linePos(offset);

function firstOfEachLine<P extends Problem>(problems: readonly P[]): P[] {
  return problems.filter((p, i) => i === 0 || problems[i - 1]?.line !== p.line);
}
