import type { Finding, GateOf, GateResult } from "../../domain/index.ts";

/** How a command in a clean checkout ended. */
export interface CommandEnd {
  kind: "exited" | "deadline" | "aborted" | "crashed" | "unstartable";
  code?: number;
  durationMs: number;
  /** The last lines of its output, secrets masked. */
  tail: string;
}

/** A clean checkout of one commit, prepared by the step's setup; made when it is first needed. */
export interface CleanTree {
  command(command: string, options: { name: string; timeoutMs: number }): Promise<CommandEnd>;
  /** Removes files that match the globs, so that what is read afterwards was written afterwards. */
  clear(globs: readonly string[]): Promise<void>;
  /**
   * Contents of the files that match the globs, as text, without the checkout's own path, which differs from one to the next: no links, no folders,
   * nothing outside. Those that are too large are left out.
   */
  texts(globs: readonly string[]): Promise<string[]>;
  /** The same of one file in the folder that TMPDIR names. */
  printed(name: string): Promise<string[]>;
}

/** One path that differs between two commits. */
export interface FileChange {
  path: string;
  added: number;
  removed: number;
  binary: boolean;
}

export type JudgedFile = { kind: "file"; bytes: Uint8Array } | { kind: "link" } | { kind: "large" };

/** What the engine hands in: the room itself starts no process and knows no git. */
export interface GateRun {
  /** `merge`: the work is judged again, together with what was merged meanwhile. */
  phase: "attempt" | "merge";
  /** The commit that is judged. */
  tree: string;
  /** What it is compared with: where the attempt started, or the tip that it is merged on. */
  from: string;
  /** Between `from` and `tree`. */
  changes: () => Promise<readonly FileChange[]>;
  /** Paths in `tree` that match the globs. */
  list: (globs: readonly string[]) => Promise<readonly string[]>;
  /** Those of the globs that match nothing in `tree`. */
  missing: (globs: readonly string[]) => Promise<readonly string[]>;
  read: (commit: string, path: string) => Promise<Uint8Array | undefined>;
  /** The same for any file that an attempt may have made: links and files that are too large to look into are told apart. */
  file: (commit: string, path: string) => Promise<JudgedFile | undefined>;
  /** A clean checkout of `tree`. */
  judged: CleanTree;
  /** A clean checkout of `from`. */
  before: CleanTree;
  /** The same answer for the same key in all gates of a run, computed once; one that `isLasting` denies is forgotten. */
  once: <T>(key: string, compute: () => Promise<T>, isLasting: (value: T) => boolean) => Promise<T>;
  /** Has models score the work. Absent: nobody does yet, and such a gate is an error. */
  judge?: (gate: GateOf<"judge">) => Promise<Ruling>;
  /** Milliseconds, to measure how long a gate takes. */
  now: () => number;
}

/** What one gate says. `message` and `findingEvidence` (else `evidence`) are handed to the next attempt; `evidence` is kept with the verdict. */
export type Ruling =
  | ({ verdict: "passed" } & Seen)
  | ({ verdict: "refused" | "errored"; message: string; findingEvidence?: string } & Seen)
  | { verdict: "aborted" }
  /** Says nothing of what is judged now. */
  | { verdict: "silent" };

interface Seen {
  evidence?: string;
  /** Absent: measured around the gate. */
  durationMs?: number;
  /** What asking models cost. */
  microUsd?: number;
}

export interface GatesEnd {
  gates: GateResult[];
  findings: Finding[];
  aborted: boolean;
}
