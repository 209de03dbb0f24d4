export type WorkspaceErrorCode =
  | "PROJECT_NOT_GIT"
  | "PROJECT_NO_COMMIT"
  | "PROJECT_BARE"
  | "PROJECT_LFS"
  | "PROJECT_SUBMODULES"
  | "PROJECT_SHALLOW_OBJECTS" // partial or broken clone: objects are missing
  | "GIT_TOO_OLD"
  | "GIT_MISSING"
  | "GIT_FAILED"
  | "MERGE_DIRTY" // the user's checkout has changes that the merge would touch
  | "MERGE_CONFLICT"
  | "BRANCH_EXISTS"
  | "WORKSPACE_IO";

/** `message` says what happened and where; `hint` what to do. */
export class WorkspaceError extends Error {
  readonly code: WorkspaceErrorCode;
  readonly hint: string;
  constructor(code: WorkspaceErrorCode, message: string, hint: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = "WorkspaceError";
    this.code = code;
    this.hint = hint;
  }
}
