/** A command that a project's own files suggest, and where they do. */
export interface FoundCommand {
  command: string;
  /** For people: `package.json: scripts.test`. */
  from: string;
}

/** What a project seems to be checked with. Nothing of it was run. */
export interface Checks {
  /** In the order they should run: tests first. Empty when the files suggest none. */
  gates: FoundCommand[];
  /** Prepares a fresh workspace; empty when nothing has to be installed. */
  setup: FoundCommand[];
  /** What was seen and left out, each with its reason, as sentences. */
  notes: string[];
}

/** The text of one of the files that `checkFiles` named; undefined when it cannot be read. */
export type ReadFile = (path: string) => string | undefined;

/** The files of a project as the rules see them. */
export interface ProjectFiles {
  has(path: string): boolean;
  /** Empty text when the file is not there. */
  text(path: string): string;
  /** Any file, in any folder, whose path matches. */
  some(pattern: RegExp): boolean;
}

/** What one ecosystem's rule found; undefined when the project is not of it. */
export type FindInEcosystem = (files: ProjectFiles) => Checks | undefined;
