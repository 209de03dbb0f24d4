export type WorkspaceErrorCode =
  | "PROJECT_NOT_GIT"
  | "PROJECT_NOT_OWNED" // git's ownership check refuses the folder
  | "PROJECT_NO_COMMIT"
  | "PROJECT_BARE"
  | "PROJECT_LFS"
  | "PROJECT_SUBMODULES"
  | "PROJECT_SHALLOW_OBJECTS" // partial or broken clone: objects are missing
  | "GIT_TOO_OLD"
  | "GIT_MISSING"
  | "GIT_FAILED" // a GitFailed: it carries the command, its exit code and its stderr
  | "GIT_STOPPED" // by the abort signal that was passed in
  | "MERGE_DIRTY" // the user's checkout has changes that the merge would touch, or a merge under way
  | "MERGE_DETACHED" // no branch is checked out to merge into
  | "MERGE_CONFLICT"
  | "BRANCH_EXISTS"
  | "BRANCH_IN_USE" // checked out somewhere, so it is not deleted
  | "DIRTY_FILTERED" // an uncommitted file passes through a filter program, which we do not run
  | "WORKSPACE_GONE" // an attempt has removed its work tree, or put something else in its place
  | "WORKSPACE_IO";

/** `message` says what happened and where; `hint` what to do. */
export class WorkspaceError extends Error {
  readonly code: WorkspaceErrorCode;
  readonly hint: string;
  /** Paths it is about, where there are any (MERGE_DIRTY, MERGE_CONFLICT, DIRTY_FILTERED, PROJECT_LFS, PROJECT_SUBMODULES). */
  readonly paths: readonly string[];
  constructor(code: WorkspaceErrorCode, message: string, hint: string, options?: { cause?: unknown; paths?: readonly string[] }) {
    super(message, options);
    this.name = "WorkspaceError";
    this.code = code;
    this.hint = hint;
    this.paths = options?.paths ?? [];
  }
}

/** The arguments from the subcommand on, without the settings before it. */
export function subcommand(args: readonly string[]): readonly string[] {
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] ?? "";
    if (arg === "-c" || arg === "-C") i += 1;
    else if (!arg.startsWith("-")) return args.slice(i);
  }
  return args;
}

/** A git command that failed in a way nobody expected. */
export class GitFailed extends WorkspaceError {
  readonly args: readonly string[];
  /** `null` when it did not end by itself. */
  readonly exitCode: number | null;
  readonly stderr: string;
  /** Whoever started it died: whether it has done its work nobody knows. */
  readonly isLost: boolean;
  constructor(args: readonly string[], exitCode: number | null, stderr: string, options?: { cause?: unknown; isLost?: boolean }) {
    const said = stderr.trim().slice(0, 2000) || "it said nothing";
    super(
      "GIT_FAILED",
      `git ${subcommand(args).join(" ")} failed${exitCode === null ? "" : ` (exit ${exitCode})`}: ${said}`,
      "Run the command by hand to see more.",
      options,
    );
    this.args = args;
    this.exitCode = exitCode;
    this.stderr = stderr;
    this.isLost = options?.isLost === true;
  }
}
