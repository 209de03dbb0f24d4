import type { Extraction } from "../src/quality/extract/contract.ts";
import { placePath } from "../src/quality/extract/paths.ts";

/** A labelled reply. Line numbers are of the reply, from 1, both ends included. */
export interface LabelledReply {
  id: string;
  format: string;
  source: string;
  files: string[];
  expected: Expected[];
  reply: string;
}
export interface Expected {
  /** Null: a fence that is no file. */
  path: string | null;
  closed?: boolean;
  lines?: [number, number];
  search_lines?: [number, number];
  replace_lines?: [number, number];
  /** Of JSON replies: the record's `path`, sometimes a folder, sometimes the whole. */
  dir_or_path?: string;
}

export interface Score {
  isExact: boolean;
  /** Paths of edits that no label has. */
  invented: string[];
  /** What was wrong, for a person. */
  why: string[];
  /** Labelled files of JSON replies, and those that came out as edits rather than as a report. */
  jsonFiles: number;
  jsonEdits: number;
}

/** A way in which a reply speaks of a path. */
interface Told {
  as: "edit" | "refused" | "unplaced";
  path: string;
  isTaken: boolean;
  edit?: Extraction["edits"][number];
}

/** Compares what was extracted from a reply with its labels; see extract.bench.ts for what counts as right. */
export function score(row: LabelledReply, found: Extraction): Score {
  const told: Told[] = [
    ...found.edits.map((edit): Told => ({ as: "edit", path: edit.path, isTaken: false, edit })),
    ...found.refused.map(({ path }): Told => ({ as: "refused", path, isTaken: false })),
    ...found.unplaced.flatMap(({ path }): Told[] => (path === undefined ? [] : [{ as: "unplaced", path, isTaken: false }])),
  ];
  const labels = row.expected.length > 0 ? row.expected : row.files.map((path): Expected => ({ path }));
  const why: string[] = [];
  let [jsonFiles, jsonEdits] = [0, 0];
  for (const label of labels) {
    if (label.path === null) continue;
    // A patch is one edit with all its hunks, which the labels may count one by one.
    const match = told.find((each) => (!each.isTaken || isPatch(each)) && fits(row, label, label.path ?? "", each));
    if (match) match.isTaken = true;
    else why.push(`${label.path}: not as labelled`);
    if (label.dir_or_path !== undefined) {
      jsonFiles += 1;
      if (match?.as === "edit") jsonEdits += 1;
    }
  }
  for (const { as, path, isTaken } of told) if (as === "edit" && !isTaken) why.push(`${path}: an edit too many`);
  const labelled = new Set(labels.flatMap((label) => (label.path === null ? [] : names(label.path, label.dir_or_path))));
  const invented = [...new Set(found.edits.map((edit) => edit.path).filter((path) => !labelled.has(path)))];
  return { isExact: why.length === 0, invented, why, jsonFiles, jsonEdits };
}

function fits(row: LabelledReply, label: Expected, path: string, told: Told): boolean {
  if (label.dir_or_path !== undefined) {
    if (!names(path, label.dir_or_path).includes(told.path)) return false;
    return told.as !== "refused" || isOutside(path) || isOutside(label.dir_or_path);
  }
  if (isOutside(path)) return told.as === "refused" && told.path === path;
  if (told.path !== clean(path)) return false;
  if (label.closed === false || row.format.endsWith("truncated")) return told.as === "unplaced";
  const { edit } = told;
  if (!edit) return false;
  const { lines, search_lines, replace_lines } = label;
  if (search_lines && replace_lines) {
    return edit.kind === "replace" && edit.search === slice(row, search_lines) && edit.replace === slice(row, replace_lines);
  }
  if (!lines) return true;
  // The lines of a diff are no file's content.
  if (isPatch(told) || row.format.includes("diff")) return edit.line >= lines[0] - 3 && edit.line <= lines[1];
  return edit.kind === "write" && edit.content === slice(row, lines);
}

const isPatch = ({ edit }: Told): boolean => edit !== undefined && edit.kind !== "write" && edit.kind !== "replace";

/** The labelled lines, without the indentation of the fence they stand in. */
function slice(row: LabelledReply, [first, last]: [number, number]): string {
  const lines = row.reply.split("\n").map((line) => line.replace(/\r$/, ""));
  const indent = /^(\s*)(?:`{3}|~{3})/.exec(lines[first - 2] ?? "")?.[1]?.length ?? 0;
  return lines
    .slice(first - 1, last)
    .map((line) => `${line.slice(Math.min(indent, /^\s*/.exec(line)?.[0].length ?? 0))}\n`)
    .join("");
}

const isOutside = (path: string): boolean => path !== "." && (path.startsWith("/") || !placePath(path.replace(/\/+$/, "") || ".x").ok);
const clean = (path: string): string => path.replace(/^(?:\.\/)+/, "");

function names(path: string, folder: string | undefined): string[] {
  if (folder === undefined) return [clean(path)];
  const joined = `${folder.replace(/\/+$/, "")}/${clean(path)}`;
  return [clean(path), path, clean(folder), folder, clean(joined), joined];
}
