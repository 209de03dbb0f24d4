import { createHash } from "node:crypto";
import { join } from "node:path";
import { parseAttemptId } from "../domain/index.ts";
import { WorkspaceError } from "./errors.ts";

export const shortHash = (text: string, length = 8): string => createHash("sha256").update(text).digest("hex").slice(0, length);

/**
 * A step path as one folder and ref name: readable, and never the same for two step paths, not even on a file system
 * that does not tell upper from lower case. A name that had to be changed carries a hash of the original.
 */
export function safeStep(stepPath: string): string {
  const readable = stepPath
    .toLowerCase()
    .replace(/[^a-z0-9_-]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 48);
  return readable === stepPath ? readable : `${readable || "step"}.${shortHash(stepPath)}`;
}

export interface AttemptNames {
  runId: string;
  /** `<home>/workspaces/<runId>/<step>-<n>` */
  root: string;
  /** `refs/stepfall/<runId>/<step>/<n>` */
  ref: string;
  /** `<step>-<n>` */
  label: string;
}

export function attemptNames(home: string, attempt: string): AttemptNames {
  const parsed = parseAttemptId(attempt);
  if (!parsed)
    throw new WorkspaceError(
      "WORKSPACE_IO",
      `${attempt} is not the id of an attempt (run/step#n).`,
      "This is a fault in Stepfall: please report it.",
    );
  const { runId, stepPath, n } = parsed;
  const step = safeStep(stepPath);
  return { runId, root: join(runFolder(home, runId), `${step}-${n}`), ref: `${runRefs(runId)}${step}/${n}`, label: `${step}-${n}` };
}

export const workspacesFolder = (home: string): string => join(home, "workspaces");
export const runFolder = (home: string, runId: string): string => join(workspacesFolder(home), checkedRunId(runId));
/** With the slash at its end: a prefix. */
export const runRefs = (runId: string): string => `refs/stepfall/${checkedRunId(runId)}/`;
export const dirtyRef = (runId: string): string => `refs/stepfall/dirty/${checkedRunId(runId)}`;

function checkedRunId(runId: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9_-]*$/.test(runId) && runId !== "dirty") return runId;
  throw new WorkspaceError("WORKSPACE_IO", `${JSON.stringify(runId)} cannot be the id of a run.`, "Run ids are letters, digits, - and _.");
}
