import { CONTENT_KEYS, FILE_KEYS, PATH_KEYS, type JsonRecord } from "./json-records.ts";

const keyPattern = (keys: readonly string[]): string => `"(?:${keys.join("|")})"`;
const NAMES = FILE_KEYS.filter((key) => key !== "name");
const NAME = new RegExp(`(${keyPattern(NAMES)})\\s*:\\s*"([^"\\n]*)"`, "g");
const PATH = new RegExp(`(${keyPattern(PATH_KEYS)})\\s*:\\s*"([^"\\n]*)"`, "g");
const CONTENT = new RegExp(`${keyPattern(CONTENT_KEYS)}\\s*:\\s*`, "g");

/**
 * Records of JSON that does not parse: raw line feeds and quotes in strings, Python's triple quotes, elisions, cut ends. A record
 * reaches from its first name to the next record's; its content from its quote to the last one that only closers follow.
 */
export function scanRecords(text: string): JsonRecord[] {
  const names = recordStarts(text);
  return names.map((start, i) => {
    const end = names[i + 1]?.offset ?? text.length;
    return record(text.slice(start.offset, end), start, i === names.length - 1);
  });
}

interface Start {
  offset: number;
  file?: string;
  path?: string;
}

/** Where each record begins: a name that comes where the record before has one already begins the next. */
function recordStarts(text: string): Start[] {
  const names = [...text.matchAll(NAME)].map((found) => ({ offset: found.index, file: found[2] ?? "" }));
  const paths = [...text.matchAll(PATH)].map((found) => ({ offset: found.index, path: found[2] ?? "" }));
  const breaks = [...text.matchAll(/\}\s*(?:,\s*)?(?:\.{3}[^\n{]*)?\{/g)].map((found) => found.index);
  const starts: Start[] = [];
  let passed = 0;
  for (const next of [...names, ...paths].sort((a, b) => a.offset - b.offset)) {
    const last = starts.at(-1);
    const before = passed;
    while ((breaks[passed] ?? Number.POSITIVE_INFINITY) < next.offset) passed++;
    const isSame = last !== undefined && passed === before && !("file" in next ? "file" in last : "path" in last);
    if (isSame) Object.assign(last, next, { offset: last.offset });
    // A key within a content, e.g. `"path": "x"` in a piece of code: it has no brace before it.
    else if (/[[{,(]\s*$/.test(text.slice(Math.max(0, next.offset - 40), next.offset))) starts.push(next);
    else passed = before;
  }
  return starts;
}

function record(region: string, start: Start, isLast: boolean): JsonRecord {
  const at = {
    ...(start.file === undefined ? {} : { file: start.file }),
    ...(start.path === undefined ? {} : { path: start.path }),
    offset: start.offset,
  };
  CONTENT.lastIndex = 0;
  const key = CONTENT.exec(region);
  if (!key) return { kind: "write", content: undefined, ...at };
  const value = readValue(region.slice(key.index + key[0].length), isLast);
  return value.ok ? { kind: "write", content: value.text, ...at } : { kind: "write", content: undefined, why: value.why, ...at };
}

type Value = { ok: true; text: string } | { ok: false; why: string };

/** Nothing but the end of the record, of the list, and of the fence around them. */
const CLOSERS = /^\s*(?:,\s*)?[}\]][\s}\],)]*(?:\{\s*|\.{3}[^"\n]*[\s}\],{]*)?(?:```[\s\S]*)?$/;

function readValue(text: string, isLast: boolean): Value {
  const triple = /^("""|'''|```)/.exec(text)?.[1];
  if (triple !== undefined) {
    const body = text.slice(3);
    const end = body.indexOf(triple);
    if (end >= 0) return { ok: true, text: dedented(body.slice(0, end)) };
    const single = closingQuote(body, isLast);
    return single === undefined ? cutOff : { ok: true, text: dedented(body.slice(0, single)) };
  }
  if (!text.startsWith('"')) return { ok: false, why: "The content is not a text." };
  const body = text.slice(1);
  const strict = /^(?:[^"\\]|\\[\s\S])*"/.exec(body)?.[0];
  if (strict !== undefined && /^\s*(?:,\s*"[\w ]+"\s*[:,]|(?:,\s*)?[}\]])/.test(body.slice(strict.length)))
    return unquoted(strict.slice(0, -1));
  const end = closingQuote(body, isLast);
  return end === undefined ? cutOff : unquoted(body.slice(0, end));
}

const cutOff: Value = { ok: false, why: "The content is cut off, or its quotes cannot be told from those that end it." };

/** The last quote after which only closers come. In the last record prose may follow a closed list. */
function closingQuote(body: string, isLast: boolean): number | undefined {
  for (let end = body.lastIndexOf('"'), tries = 0; end >= 0 && tries < 50; end = body.lastIndexOf('"', end - 1), tries++) {
    const rest = body.slice(end + 1);
    if (CLOSERS.test(rest) || (isLast && /^\s*\}\s*\](?:\s*\})?\s*\n/.test(rest))) return end;
    if (end === 0) break;
  }
  return undefined;
}

/** Escapes decoded; line feeds and quotes that should have been escaped stay as they are. */
function unquoted(raw: string): Value {
  try {
    return { ok: true, text: JSON.parse(`"${raw}"`) as string };
  } catch {
    const text = raw.replace(/\\(u[0-9a-fA-F]{4}|[\s\S])/g, (whole, escape: string) => {
      if (escape.startsWith("u") && escape.length === 5) return String.fromCharCode(Number.parseInt(escape.slice(1), 16));
      return { n: "\n", t: "\t", r: "", '"': '"', "'": "'", "\\": "\\", "/": "/", b: "\b", f: "\f" }[escape] ?? whole;
    });
    return { ok: true, text: text.replace(/^\n/, "") };
  }
}

/** A text in triple quotes: it begins after the first line end, and a common indentation is the JSON's. */
function dedented(raw: string): string {
  const lines = raw.replace(/^\\*\s*?\n/, "").split("\n");
  if (lines.at(-1)?.trim() === "") lines.pop();
  const indents = lines.filter((line) => line.trim() !== "").map((line) => /^[ \t]*/.exec(line)?.[0].length ?? 0);
  const common = indents.length === 0 ? 0 : indents.reduce((least, each) => Math.min(least, each));
  return lines.map((line) => line.slice(common)).join("\n");
}
