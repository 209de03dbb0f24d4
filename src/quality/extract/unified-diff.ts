import { parsePatch, type StructuredPatch } from "diff";
import type { Hunk } from "./contract.ts";
import type { Findings } from "./findings.ts";
import { dropBlankEnd } from "./apply-patch.ts";

/**
 * A unified diff, of git or not, whose counts may be wrong or missing (`@@ ... @@`). They are counted anew, then the `diff`
 * package reads it. `named` is the file of a diff without headers.
 */
export function unifiedDiff(lines: readonly string[], from: number, named: string | undefined, findings: Findings): void {
  let patches: StructuredPatch[];
  const { text, starts } = recount(lines);
  try {
    patches = parsePatch(text);
  } catch (error) {
    findings.broken(from, `The diff cannot be read: ${error instanceof Error ? error.message : String(error)}.`, lines[0] ?? "", named);
    return;
  }
  let hunkIndex = 0;
  for (const patch of patches) {
    const first = starts[hunkIndex]?.line ?? 0;
    const hunks = patch.hunks.map(({ lines: body }) => toHunk(body, starts[hunkIndex++]?.at));
    place(patch, hunks, from + first, named, findings);
  }
}

function place(patch: StructuredPatch, hunks: Hunk[], line: number, named: string | undefined, findings: Findings): void {
  // A tree may have a folder `a`: git's prefixes are two different letters.
  const isPrefixed = patch.oldFileName?.slice(0, 2) !== patch.newFileName?.slice(0, 2);
  const old = nameOf(patch.oldFileName, isPrefixed);
  const now = nameOf(patch.newFileName, isPrefixed);
  const path = now ?? old ?? named;
  const excerpt = hunks[0]?.after[0] ?? patch.newFileName ?? "";
  if (path === undefined) {
    if (hunks.length > 0) findings.broken(line, "The diff names no file: write --- a/PATH and +++ b/PATH above its hunks.", excerpt);
    return;
  }
  if (patch.isCopy) return findings.broken(line, "Copying a file by diff is not supported: send the new file whole.", excerpt, path);
  if (patch.isBinary) return findings.broken(line, "A binary diff cannot be applied.", excerpt, path);
  const removed = patch.isDelete || isNone(patch.newFileName);
  const added = patch.isCreate || isNone(patch.oldFileName);
  if (removed) findings.edit(old ?? path, line, (placed) => ({ kind: "delete", path: placed, line }));
  else if (added) {
    const content = hunks
      .flatMap((hunk) => hunk.after)
      .map((each) => `${each}\n`)
      .join("");
    findings.edit(path, line, (placed) => ({ kind: "write", path: placed, content, line }));
  } else if (patch.isRename && old !== undefined && now !== undefined && old !== now) {
    const to = findings.place(now, line);
    if (to !== undefined) findings.edit(old, line, (placed) => ({ kind: "rename", path: placed, to, hunks, line }));
  } else if (hunks.length > 0) findings.edit(path, line, (placed) => ({ kind: "patch", path: placed, hunks, line }));
  else findings.broken(line, "The diff of this file has no hunk.", excerpt, path);
}

const isNone = (name: string | undefined): boolean => name === "/dev/null";

/** Without git's `a/` and `b/`, and without the date that diff -u appends. */
function nameOf(name: string | undefined, isPrefixed: boolean): string | undefined {
  if (name === undefined || name === "" || isNone(name)) return undefined;
  const path = name.replace(/\t.*$/, "").trim();
  return isPrefixed ? path.replace(/^[abciow]\//, "") : path;
}

function toHunk(body: readonly string[], at: number | undefined): Hunk {
  const hunk: Hunk = { before: [], after: [], ...(at === undefined ? {} : { at }) };
  for (const line of body) {
    if (line.startsWith("\\")) continue;
    if (!line.startsWith("+")) hunk.before.push(line.slice(1));
    if (!line.startsWith("-")) hunk.after.push(line.slice(1));
  }
  dropBlankEnd(hunk);
  return hunk;
}

const HEADER =
  /^(?:diff --git |Index:\s|--- |\+\+\+ |index [0-9a-f]+\.\.|(?:new|deleted) file mode |(?:old|new) mode |(?:dis)?similarity index |(?:rename|copy) (?:from|to) |Binary files )/;
const FILE_HEADER = /^(?:diff --git |Index:\s|--- \S)/;

/** The diff with right counts, and where each hunk began. An empty line within a hunk is a blank line of the file. */
function recount(lines: readonly string[]): { text: string; starts: { line: number; at?: number }[] } {
  const out: string[] = [];
  const starts: { line: number; at?: number }[] = [];
  let i = 0;
  let seenHeader = false;
  while (i < lines.length) {
    const line = lines[i] ?? "";
    const isHunk = line.startsWith("@@");
    // A diff of which only the lines were given: one hunk.
    const isBare = !isHunk && starts.length === 0 && !seenHeader && /^[+-](?![+-]{2} )/.test(line);
    if (!isHunk && !isBare) {
      if (FILE_HEADER.test(line)) seenHeader = true;
      out.push(...bothNames(lines, i));
      i += 1;
      continue;
    }
    const at = Number(/^@@+ -(\d+)/.exec(line)?.[1]);
    starts.push({ line: i, ...(at > 0 ? { at } : {}) });
    if (isHunk) i += 1;
    const body: string[] = [];
    while (i < lines.length && !endsHunk(lines, i)) {
      const each = lines[i++] ?? "";
      // Of a kept line models forget the space in front. It must stand in the file all the same, or nothing is applied.
      body.push(/^[ +\-\\]/.test(each) ? each : ` ${each}`);
    }
    while (body.at(-1) === " ") body.pop();
    const removed = body.filter((each) => /^[ -]/.test(each)).length;
    const added = body.filter((each) => /^[ +]/.test(each)).length;
    // Zero lines begin at line 0 or later, others at 1 or later: the library checks it.
    out.push(`@@ -${removed === 0 ? 0 : Math.max(1, at || 1)},${removed} +${added === 0 ? 0 : Math.max(1, at || 1)},${added} @@`, ...body);
  }
  return { text: out.join("\n"), starts };
}

function endsHunk(lines: readonly string[], i: number): boolean {
  const line = lines[i] ?? "";
  return (
    line.startsWith("@@") || /^(?:diff --git |Index:\s)/.test(line) || (line.startsWith("--- ") && (lines[i + 1] ?? "").startsWith("+++ "))
  );
}

/** A header line; where only one of the two names is given, both. Lines that are no header say nothing. */
function bothNames(lines: readonly string[], i: number): string[] {
  const line = lines[i] ?? "";
  if (line.startsWith("--- ") && !(lines[i + 1] ?? "").startsWith("+++ ")) return [line, `+++ ${line.slice(4).replace(/^a\//, "b/")}`];
  if (line.startsWith("+++ ") && !(lines[i - 1] ?? "").startsWith("--- ")) return [`--- ${line.slice(4).replace(/^b\//, "a/")}`, line];
  return HEADER.test(line) ? [line] : [];
}
