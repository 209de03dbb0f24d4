/** A unified diff taken apart for a view that draws line by line. */
export interface DiffFile {
  path: string;
  /** Where it was before, if that was elsewhere. */
  from?: string | undefined;
  note?: "added" | "removed" | "renamed" | "binary" | undefined;
  added: number;
  removed: number;
}

export type DiffLine =
  | { kind: "file"; file: DiffFile }
  | { kind: "hunk"; text: string }
  | { kind: "context" | "added" | "removed"; text: string; before?: number | undefined; after?: number | undefined }
  /** Such as "no newline at end of file". */
  | { kind: "note"; text: string };

/** Reads `git diff` output. What it does not know it shows as it is: nothing is left out. */
export function parseDiff(text: string): { lines: DiffLine[]; files: DiffFile[] } {
  const lines: DiffLine[] = [];
  const files: DiffFile[] = [];
  let file: DiffFile | undefined;
  let before = 0;
  let after = 0;
  /** Lines still to come in the hunk, on either side: inside, a line that looks like a header is none. */
  let left = { before: 0, after: 0 };
  for (const line of text.endsWith("\n") ? text.slice(0, -1).split("\n") : text.split("\n")) {
    if (left.before > 0 || left.after > 0) {
      const rest = line.slice(1);
      if (line.startsWith("+")) {
        lines.push({ kind: "added", text: rest, after: after++ });
        left.after -= 1;
        if (file) file.added += 1;
      } else if (line.startsWith("-")) {
        lines.push({ kind: "removed", text: rest, before: before++ });
        left.before -= 1;
        if (file) file.removed += 1;
      } else if (line.startsWith("\\")) {
        lines.push({ kind: "note", text: rest.trim() });
      } else {
        lines.push({ kind: "context", text: rest, before: before++, after: after++ });
        left = { before: left.before - 1, after: left.after - 1 };
      }
      continue;
    }
    const hunk = /^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@/.exec(line);
    if (hunk) {
      before = Number(hunk[1]);
      after = Number(hunk[3]);
      left = { before: Number(hunk[2] ?? 1), after: Number(hunk[4] ?? 1) };
      lines.push({ kind: "hunk", text: line });
      continue;
    }
    if (line.startsWith("diff --git ")) {
      file = { ...namesIn(line.slice(11)), added: 0, removed: 0 };
      files.push(file);
      lines.push({ kind: "file", file });
    } else if (file && header(file, line)) {
      // It is told in the file's own line.
    } else if (line !== "") lines.push({ kind: "note", text: line.replace(/^\\ /, "") });
  }
  return { lines, files };
}

/** `a/x b/x`. A name may hold ` b/` itself; but where both are the same one, the halves are. */
function namesIn(both: string): { path: string; from?: string } {
  const half = both.slice(0, (both.length - 1) / 2);
  if (/^"?a\//.test(half) && both === `${half} ${half.replace("a/", "b/")}`) return { path: half.replace(/^"?a\/|"$/g, "") };
  const [, from, path] = /^(?:"?a\/(.*?)"?) (?:"?b\/(.*?)"?)$/.exec(both) ?? [];
  return { path: path ?? both, ...(from === undefined || from === path ? {} : { from }) };
}

/** A line as it is shown, without its sign and numbers. */
export const textOf = (line: DiffLine): string =>
  line.kind === "file" ? `${line.file.from === undefined ? "" : `${line.file.from} → `}${line.file.path}` : line.text;

/** Takes one line of a file's header in; false: it is none. */
function header(file: DiffFile, line: string): boolean {
  if (line.startsWith("new file mode")) file.note = "added";
  else if (line.startsWith("deleted file mode")) file.note = "removed";
  else if (line.startsWith("rename from ")) {
    file.note = "renamed";
    file.from = line.slice(12);
  } else if (line.startsWith("rename to ")) file.path = line.slice(10);
  else if (line.startsWith("Binary files ") || line.startsWith("GIT binary patch")) file.note ??= "binary";
  else return /^(index |--- |\+\+\+ |similarity |dissimilarity |old mode |new mode |copy from |copy to )/.test(line);
  return true;
}
