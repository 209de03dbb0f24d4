/** What a reply asks for, in the order it asks. `line` is where in the reply it begins, from 1. Paths are relative, with `/`, and within the tree. */
export type Edit =
  | { kind: "write"; path: string; content: string; line: number }
  /** An empty `search` makes a new file. Both end with a line feed unless empty. */
  | { kind: "replace"; path: string; search: string; replace: string; line: number }
  | { kind: "patch"; path: string; hunks: Hunk[]; line: number }
  | { kind: "delete"; path: string; line: number }
  /** `hunks` may be empty: then only the name changes. */
  | { kind: "rename"; path: string; to: string; hunks: Hunk[]; line: number };

/** Lines without their line feeds. Counts of a diff are not kept: models count wrong, the lines themselves are what was meant. */
export interface Hunk {
  before: string[];
  after: string[];
  /** Where the hunk says it begins in the old file, from 1: a hint among several places that fit. */
  at?: number;
  /** Lines that stand somewhere before it, in this order (`@@ class A` of apply_patch). */
  within?: string[];
}

/** A path that would leave the tree, or reach git's own folder. Nothing of it becomes an edit. */
export interface RefusedPath {
  path: string;
  reason: string;
  line: number;
}

/** What looked like it could belong into a file and was not placed. */
export interface Unplaced {
  /**
   * `snippet`: code without a name, most often an example. `broken`: an edit that was meant and cannot be carried out as it
   * stands (cut off, no path, malformed, or two names for one file).
   */
  kind: "snippet" | "broken";
  /** From 1, in the reply. */
  line: number;
  /** A sentence. */
  why: string;
  /** Its first line, shortened. */
  excerpt: string;
  /** The file that was named for it. */
  path?: string;
}

export interface Extraction {
  edits: Edit[];
  refused: RefusedPath[];
  unplaced: Unplaced[];
}

export interface ExtractOptions {
  /** Whether the tree has a file of this name: lets names without a known extension count as paths. */
  has?: (path: string) => boolean;
}

/** The text of a file, undefined when there is none. */
export type ReadFile = (path: string) => string | undefined;

/** What keeps `text` from being parsed as the language `path` names; undefined when nothing does or it cannot be told. */
export type CheckSyntax = (path: string, text: string) => SyntaxProblem | undefined | Promise<SyntaxProblem | undefined>;
interface SyntaxProblem {
  line: number;
  message: string;
}

export interface Applied {
  /** New content by path; `undefined` means the file goes. Only paths whose every edit fits are here. */
  files: Map<string, string | undefined>;
  problems: EditProblem[];
}

/** Why an edit was not applied, for a model to read and act on. */
export interface EditProblem {
  path: string;
  /** Of the reply, where the edit begins. */
  line: number;
  message: string;
}

/** Longer replies are read up to here; the rest is reported as unplaced. */
export const LONGEST_REPLY = 4_000_000;

export const shorten = (text: string, most = 100): string => {
  const line = text.trimStart().split("\n", 1)[0]?.trimEnd() ?? "";
  return line.length > most ? `${line.slice(0, most)}...` : line;
};
