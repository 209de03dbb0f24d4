import type { Hunk } from "./contract.ts";
import type { Findings } from "./findings.ts";
import { patchCloses, patchOpens } from "./markers.ts";

/** `*** Begin Patch` ... `*** End Patch` (the apply_patch format). `closed` is false when its end never came. */
export function applyPatchFormat(lines: readonly string[], from: number, closed: boolean, findings: Findings): void {
  let i = lines.findIndex(patchOpens) + 1;
  const more = (): boolean => i < lines.length && !patchCloses(lines[i] ?? "");
  while (more()) {
    const line = lines[i] ?? "";
    const at = from + i;
    const header = /^\s*\*\*\* (Add|Update|Delete) File:\s*(.+?)\s*$/.exec(line);
    i += 1;
    if (!header) {
      if (line.trim() !== "" && !line.startsWith("```"))
        findings.broken(at, "A line of the patch belongs to no file: write *** Update File: PATH above it.", line);
      continue;
    }
    const [, what, path = ""] = header;
    const body: string[] = [];
    while (more() && !/^\s*\*\*\* (?:Add|Update|Delete) File:/.test(lines[i] ?? "")) body.push(lines[i++] ?? "");
    if (!closed && i >= lines.length) {
      findings.broken(at, "The patch is cut off: *** End Patch never comes.", line, path);
      return;
    }
    if (what === "Delete") findings.edit(path, at, (placed) => ({ kind: "delete", path: placed, line: at }));
    else if (what === "Add") {
      const stray = body.find((text) => text !== "" && !text.startsWith("+"));
      if (stray !== undefined) findings.broken(at, "A line of an added file does not begin with +.", stray, path);
      else {
        while (body.at(-1) === "") body.pop();
        const content = body.map((text) => `${text.slice(1)}\n`).join("");
        findings.edit(path, at, (placed) => ({ kind: "write", path: placed, content, line: at }));
      }
    } else update(path, at, body, findings);
  }
}

function update(path: string, at: number, body: readonly string[], findings: Findings): void {
  const moved = /^\s*\*\*\* Move to:\s*(.+?)\s*$/.exec(body[0] ?? "")?.[1];
  const hunks = readHunks(moved === undefined ? body : body.slice(1));
  if (!hunks) return findings.broken(at, "A line of the patch begins with none of space, + and -.", body[0] ?? "", path);
  if (moved !== undefined) {
    const to = findings.place(moved, at);
    if (to !== undefined) findings.edit(path, at, (placed) => ({ kind: "rename", path: placed, to, hunks, line: at }));
  } else if (hunks.length === 0) findings.broken(at, "The patch of this file has no hunk.", body[0] ?? "", path);
  else findings.edit(path, at, (placed) => ({ kind: "patch", path: placed, hunks, line: at }));
}

function readHunks(body: readonly string[]): Hunk[] | undefined {
  const hunks: Hunk[] = [];
  let within: string[] = [];
  let hunk: Hunk | undefined;
  for (const line of body) {
    if (line.startsWith("*** End of File")) continue;
    if (line.startsWith("@@")) {
      if (hunk) within = [];
      hunk = undefined;
      const place = line
        .slice(2)
        .replace(/@@\s*$/, "")
        .trim();
      // Counts of a unified diff, which models mix in, say nothing here.
      if (place !== "" && !/^-\d/.test(place)) within.push(place);
      continue;
    }
    if (line !== "" && !/^[ +-]/.test(line)) return undefined;
    if (!hunk) {
      if (line === "") continue;
      hunk = { before: [], after: [], ...(within.length > 0 ? { within } : {}) };
      hunks.push(hunk);
    }
    if (!line.startsWith("+")) hunk.before.push(line.slice(1));
    if (!line.startsWith("-")) hunk.after.push(line.slice(1));
  }
  for (const each of hunks) dropBlankEnd(each);
  return hunks;
}

/** A blank line after a hunk is the reply's, not the file's, when it stands on both sides. */
export function dropBlankEnd({ before, after }: Hunk): void {
  while (before.length > 1 && before.at(-1) === "" && after.at(-1) === "") {
    before.pop();
    after.pop();
  }
}
