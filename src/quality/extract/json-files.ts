import { jsonrepair } from "jsonrepair";
import type { Findings } from "./findings.ts";
import { recordsOf, type JsonRecord } from "./json-records.ts";
import { scanRecords } from "./json-scan.ts";
import { placeJsonPath } from "./json-path.ts";

/**
 * Files and edits in JSON: objects with a path and its content, tool calls, or a map from paths to contents. Valid JSON is taken as
 * it is. Else each record is read for itself from the text; the `jsonrepair` package helps where the text is a truncated or sloppy
 * whole. A record whose content cannot be read for certain is reported, not guessed. Answers whether anything was found.
 */
export function jsonFiles(text: string, line: number, findings: Findings): boolean {
  const records = read(text);
  let seen = false;
  let [counted, at] = [0, line];
  for (const record of records) {
    for (let end = text.indexOf("\n", counted); end >= 0 && end < (record.offset ?? 0); end = text.indexOf("\n", counted)) {
      counted = end + 1;
      at += 1;
    }
    if (use(record, at, findings)) seen = true;
  }
  return seen;
}

function read(text: string): JsonRecord[] {
  const trimmed = text.trim().replace(/,$/, "");
  try {
    return recordsOf(JSON.parse(trimmed));
  } catch {
    // Malformed: go on.
  }
  const scanned = scanRecords(text);
  if (scanned.length > 0) return scanned;
  if (trimmed.length > LONGEST_REPAIRED) return [];
  try {
    // What was found in a repaired text must stand in the text that came.
    return recordsOf(JSON.parse(jsonrepair(trimmed))).filter((record) => record.kind !== "write" || isVerbatim(record.content, text));
  } catch {
    return [];
  }
}

/** The repair's work grows with the square of the length: a reply of brackets alone takes it minutes. */
const LONGEST_REPAIRED = 30_000;

const isVerbatim = (content: string | undefined, text: string): boolean =>
  (content ?? "").split("\n").every((each) => text.includes(each) || text.includes(JSON.stringify(each).slice(1, -1)));

/** Whether the record is about a file at all. */
function use(record: JsonRecord, line: number, findings: Findings): boolean {
  const at = placeJsonPath(record.file, record.path, findings.has);
  switch (at.kind) {
    case "none":
      return false;
    case "two-names":
      findings.broken(line, `One file is named twice, differently: ${at.names.join(" and ")}.`, record.path ?? "", at.names[0]);
      return true;
    case "path":
      break;
    default:
      at satisfies never;
  }
  const { path } = at;
  switch (record.kind) {
    case "write": {
      if (record.content === undefined) {
        const why = record.why ?? "The file is named, but no content is given for it.";
        if (record.why === undefined) findings.snippet(line, why, path, path);
        else findings.broken(line, why, path, path);
        return true;
      }
      const content = endLine(singleEscaped(record.content));
      findings.edit(path, line, (placed) => ({ kind: "write", path: placed, content, line }));
      return true;
    }
    case "replace": {
      const { search, replace } = record;
      findings.edit(path, line, (placed) => ({ kind: "replace", path: placed, search, replace, line }));
      return true;
    }
    case "delete":
      findings.edit(path, line, (placed) => ({ kind: "delete", path: placed, line }));
      return true;
    default:
      return record satisfies never;
  }
}

const endLine = (text: string): string => (text === "" || text.endsWith("\n") ? text : `${text}\n`);

/**
 * Models escape twice: the decoded content is then one line with `\n` written out. Within quotes that is code; outside of them it
 * can only have been meant as the end of a line.
 */
function singleEscaped(content: string): string {
  if (content.includes("\n") || !content.includes("\\n")) return content;
  const outside = content.replace(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`(?:[^`\\]|\\.)*`/g, "");
  if (!outside.includes("\\n")) return content;
  return content.replace(/\\(n|t|r|"|'|\\)/g, (_, which: string) => ({ n: "\n", t: "\t", r: "" })[which] ?? which);
}
