import { looksLikePath } from "./paths.ts";

/** Lines that begin and end edits, wherever they stand. */

/** `<<<<<<< SEARCH`, `<<<<<<< ORIGINAL`, `------- SEARCH`; what follows may be a path. */
const OPEN = /^\s*(?:<{5,9}|-{5,9})\s?(?:SEARCH|ORIGINAL|OLD|BEFORE)\b>?:?(.*)$/;
const DIVIDER = /^\s*={5,9}\s*$/;
/** `>>>>>>> REPLACE`, `>>>>>>> UPDATED`, `+++++++ REPLACE`. */
const CLOSE = /^\s*(?:>{5,9}|\+{5,9})\s?(?:REPLACE|UPDATED|NEW|AFTER)\b>?\s*$/;

/** What follows the word on an opening line, e.g. a path; undefined for other lines. */
export const searchOpens = (line: string): string | undefined => OPEN.exec(line)?.[1]?.trim();
export const searchDivides = (line: string): boolean => DIVIDER.test(line);
export const searchCloses = (line: string): boolean => CLOSE.test(line);

export const patchOpens = (line: string): boolean => /^\s*\*\*\* Begin Patch\s*$/.test(line);
export const patchCloses = (line: string): boolean => /^\s*\*\*\* End Patch\s*$/.test(line);

export interface FenceOpen {
  mark: "`" | "~";
  length: number;
  indent: number;
  info: string;
}

/** The opening line of a fenced block. Deeper than CommonMark's three spaces, too: the list around it may be out of sight. */
export function fenceOpens(line: string): FenceOpen | undefined {
  const found = /^(\s{0,16})(`{3,}|~{3,})(.*)$/.exec(line);
  if (!found) return undefined;
  const [, space = "", marks = "", info = ""] = found;
  const mark = marks.startsWith("~") ? "~" : "`";
  if (mark === "`" && info.includes("`")) return undefined;
  return { mark, length: marks.length, indent: space.length, info: info.trim() };
}

export function fenceCloses(line: string, open: FenceOpen): boolean {
  const found = /^\s{0,19}(`{3,}|~{3,})\s*$/.exec(line)?.[1];
  return found !== undefined && found[0] === open.mark && found.length >= open.length;
}

/** A line at which a diff may begin outside a fence. */
export const diffOpens = (line: string): boolean => /^diff --git \S/.test(line) || /^--- (?:a\/|\/dev\/null|"?[\w./-])/.test(line);
/** A line that can stand within a diff. */
export const diffGoesOn = (line: string): boolean =>
  /^(?:[ +\-@\\]|$)/.test(line) ||
  /^(?:diff --git |index [0-9a-f]+\.\.|(?:new|deleted) file mode |(?:old|new) mode |(?:dis)?similarity index |(?:rename|copy) (?:from|to) |Binary files )/.test(
    line,
  );

const ELEMENT =
  /^\s*<((?:[a-z]+[:_])?(?:file|write_to_file|write_file|create_file|new_file|edit_file|update_file|replace_in_file|apply_diff|str_replace|delete_file|remove_file|source_file|code_file|boltAction|antArtifact|artifact|tool_call|function_call|invoke|edit))(?=[\s>])[^>]*>/i;
const NAMED_ELEMENT = /^\s*<([A-Za-z][\w:.-]*)\s[^>]*\b(?:path|file|file_?path|file_?name)\s*=\s*["']([^"'>]+)["'][^>]*(?<!\/)>/i;

/** An element around a whole file or an edit, opening on this line: its name. Any element may be one that has a path. */
export function elementOpens(line: string): string | undefined {
  const known = ELEMENT.exec(line)?.[1];
  if (known !== undefined) return known;
  const [, name, path] = NAMED_ELEMENT.exec(line) ?? [];
  return path !== undefined && looksLikePath(path) ? name : undefined;
}

/** The tag in which some models put what they think. */
export const thoughtOpens = (line: string): string | undefined => /^\s*<(think|thinking|thought|reasoning|scratchpad)>/i.exec(line)?.[1];

export const elementCloses = (line: string, name: string): boolean => line.toLowerCase().includes(`</${name.toLowerCase()}>`);

/** A line that can begin JSON with files in it. */
export const jsonOpens = (line: string): boolean => /^\s*(?:[[{]\s*|[[{]\s*[[{"'].*)$/.test(line) && !/^\s*\[[^\]]*\]\(/.test(line);
