import type { Applied, CheckSyntax, Edit, EditProblem, Hunk, ReadFile } from "./contract.ts";
import { findLines, nearestLines, type Match } from "./match.ts";

/** The edits of one file while they are applied: a text with line feeds alone, and how the file ends its lines. */
interface Text {
  lines: string[];
  endsLine: boolean;
  eol: "\n" | "\r\n";
}

/**
 * What the edits make of the files. Each path is all or nothing: where one of its edits does not fit, the path is left as it is and
 * the problem says what to do about it. `read` answers the present content.
 */
export function applyEdits(edits: readonly Edit[], read: ReadFile): Applied {
  const files = new Map<string, string | undefined>();
  const problems: EditProblem[] = [...repeatedWholes(edits)];
  const spoilt = new Set(problems.map(({ path }) => path));
  const current = (path: string): string | undefined => (files.has(path) ? files.get(path) : read(path));
  for (const edit of edits) {
    const touched = edit.kind === "rename" ? [edit.path, edit.to] : [edit.path];
    if (touched.some((path) => spoilt.has(path))) {
      for (const path of touched) spoilt.add(path);
      continue;
    }
    const problem = applyOne(edit, current, files);
    if (problem === undefined) continue;
    problems.push({ path: edit.path, line: edit.line, message: problem });
    for (const path of touched) spoilt.add(path);
  }
  for (const path of spoilt) files.delete(path);
  return { files, problems };
}

/** The same without the files that parsed before, or are new, and would not parse now: these become problems. */
export async function refuseFaulty(applied: Applied, read: ReadFile, checkSyntax: CheckSyntax): Promise<Applied> {
  const files = new Map(applied.files);
  const problems = [...applied.problems];
  for (const [path, text] of applied.files) {
    const fault = text === undefined ? undefined : await checkSyntax(path, text);
    if (!fault) continue;
    const old = read(path);
    if (old !== undefined && (await checkSyntax(path, old))) continue;
    files.delete(path);
    problems.push({
      path,
      line: 1,
      message: `${path} would not parse after this, so it was left as it is: line ${fault.line}: ${fault.message}`,
    });
  }
  return { files, problems };
}

/** One file sent whole twice, differently: which is meant cannot be told. */
function repeatedWholes(edits: readonly Edit[]): EditProblem[] {
  const wholes = Map.groupBy(
    edits.filter((edit) => edit.kind === "write"),
    ({ path }) => path,
  );
  return [...wholes].flatMap(([path, [first, ...others]]) => {
    const other = others.find(({ content }) => content !== first?.content);
    if (!first || !other) return [];
    const message = `${path} is given whole ${others.length + 1} times, differently (lines ${first.line} and ${other.line} of the reply). Send it once, complete.`;
    return [{ path, line: other.line, message }];
  });
}

/** Answers the problem, if there is one. */
function applyOne(edit: Edit, current: ReadFile, files: Map<string, string | undefined>): string | undefined {
  const { path } = edit;
  const old = current(path);
  switch (edit.kind) {
    case "write": {
      const elided = old === undefined ? undefined : elision(edit.content, old);
      if (elided !== undefined)
        return `${path} is there already, and the new content leaves parts of it out ("${elided}"). Send the whole file, or a SEARCH/REPLACE block for what changes.`;
      files.set(path, old === undefined ? edit.content : edit.content.replaceAll("\n", eolOf(old)));
      return undefined;
    }
    case "delete":
      if (old === undefined) return `${path} cannot be deleted: there is no such file.`;
      files.set(path, undefined);
      return undefined;
    case "replace": {
      if (edit.search.trim() === "") {
        if (old !== undefined && old.trim() !== "")
          return `${path} is there already: an empty SEARCH makes a new file only. Say what to replace.`;
        files.set(path, edit.replace);
        return undefined;
      }
      if (old === undefined) return `${path} does not exist, so nothing in it can be replaced. Check the path, or send the whole file.`;
      const literal = edit.search.endsWith("\n") ? undefined : replaceText(old, edit.search, edit.replace);
      if (literal === "several") return `The text to replace stands in ${path} more than once. Add text around it that tells them apart.`;
      if (literal) {
        files.set(path, literal.text);
        return undefined;
      }
      const changed = applyHunks(old, path, [{ before: linesOf(edit.search), after: linesOf(edit.replace) }], "SEARCH block");
      if (!changed.ok) return changed.problem;
      files.set(path, changed.text);
      return undefined;
    }
    case "patch":
    case "rename": {
      if (old === undefined) return `${path} does not exist, so the patch has nothing to change. Check the path, or send the whole file.`;
      if (edit.kind === "rename" && current(edit.to) !== undefined) return `${path} cannot become ${edit.to}: that file is there already.`;
      const changed = applyHunks(old, path, edit.hunks, "hunk");
      if (!changed.ok) return changed.problem;
      files.set(edit.kind === "rename" ? edit.to : path, changed.text);
      if (edit.kind === "rename") files.set(path, undefined);
      return undefined;
    }
    default:
      return edit satisfies never;
  }
}

/** A text that may begin and end within a line, as tools send it: only when it stands there once. */
function replaceText(old: string, search: string, replace: string): { text: string } | "several" | undefined {
  const eol = eolOf(old);
  const sought = search.replaceAll("\n", eol);
  const at = old.indexOf(sought);
  if (at < 0) return undefined;
  if (old.includes(sought, at + 1)) return "several";
  return { text: old.slice(0, at) + replace.replaceAll("\n", eol) + old.slice(at + sought.length) };
}

function applyHunks(
  old: string,
  path: string,
  hunks: readonly Hunk[],
  what: string,
): { ok: true; text: string } | { ok: false; problem: string } {
  const text = textOf(old);
  // How far lines have moved by the hunks before, so that a hunk's own line still points to the right place.
  let moved = 0;
  for (const [i, hunk] of hunks.entries()) {
    const which = hunks.length > 1 ? `${what} ${i + 1}` : `The ${what}`;
    const from = startOf(text.lines, hunk.within);
    if (from === undefined)
      return { ok: false, problem: `${which} for ${path} names "${hunk.within?.join(" / ")}", which is not in the file.` };
    const match = place(text, hunk, from, moved);
    if (!match.ok) return { ok: false, problem: `${which} for ${path} ${unfit(match, text.lines, hunk.before)}` };
    text.lines.splice(match.first, hunk.before.length, ...match.lines);
    moved += match.lines.length - hunk.before.length;
  }
  return { ok: true, text: join(text) };
}

function place(text: Text, hunk: Hunk, from: number, moved: number): Match {
  const { before, after, at } = hunk;
  if (before.length > 0) return findLines(text.lines, { before, after, from, ...(at === undefined ? {} : { near: at - 1 + moved }) });
  // Only additions: after the line named, at the end of an empty file, or right below what `within` names.
  if (at !== undefined) return { ok: true, first: Math.min(text.lines.length, at + moved), lines: [...after] };
  if (hunk.within || text.lines.length === 0) return { ok: true, first: from, lines: [...after] };
  return { ok: false, why: "none" };
}

/** The line below the last of `within`; undefined when one of them is not there. */
function startOf(lines: readonly string[], within: readonly string[] | undefined): number | undefined {
  let from = 0;
  for (const sought of within ?? []) {
    const rest = lines.slice(from);
    const at = rest.findIndex((line) => line.trim() === sought.trim());
    const found = at >= 0 ? at : rest.findIndex((line) => line.includes(sought));
    if (found < 0) return undefined;
    from += found + 1;
  }
  return from;
}

function unfit(match: Exclude<Match, { ok: true }>, lines: readonly string[], before: readonly string[]): string {
  if (match.why === "several")
    return `fits in several places (lines ${match.at.map((at) => at + 1).join(", ")}). Add lines around it that tell them apart.`;
  const near = nearestLines(lines, before);
  const sought = before.slice(0, 12).join("\n");
  const hint = near
    ? `The most similar lines of the file are, from line ${near.first + 1}:\n${near.lines.join("\n")}`
    : "Nothing in the file is similar: read it again.";
  return `does not match the file. It looks for:\n${sought}\n${hint}`;
}

function textOf(old: string): Text {
  const eol = eolOf(old);
  const plain = eol === "\n" ? old : old.replaceAll("\r\n", "\n");
  return { lines: linesOf(plain), endsLine: plain === "" || plain.endsWith("\n"), eol };
}

/** Where both kinds occur, lines keep their own: a carriage return is then white space at a line's end. */
const eolOf = (text: string): "\n" | "\r\n" => (text.includes("\r\n") && !/(?:^|[^\r])\n/.test(text) ? "\r\n" : "\n");

const linesOf = (text: string): string[] => {
  if (text === "") return [];
  return (text.endsWith("\n") ? text.slice(0, -1) : text).split("\n");
};

const join = ({ lines, endsLine, eol }: Text): string => lines.join(eol) + (endsLine && lines.length > 0 ? eol : "");

const OMITTED =
  /\b(?:rest|remainder) of (?:the|your|this)\b|\b(?:existing|remaining|other|previous|same|unchanged) (?:code|content|methods|functions|imports|lines|implementation)\b/i;
const UNCHANGED =
  /^\W*(?:the )?(?:(?:rest|remainder)\b.*|(?:all )?(?:existing |other |remaining )?(?:code|content|everything else)) (?:remains?|stays?|is|are) (?:unchanged|the same|as (?:is|before))\W*$/i;

const isElision = (line: string): boolean =>
  line.length < 200 && ((/\.{3}|\u2026/.test(line) && OMITTED.test(line)) || UNCHANGED.test(line));

/** A line that stands for what was left out, unless the old file has it, too. */
function elision(content: string, old: string): string | undefined {
  const line = content.split("\n").find((each) => isElision(each) && !old.includes(each.trim()));
  return line?.trim();
}
