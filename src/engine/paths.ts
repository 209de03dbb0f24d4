import { join } from "node:path";
import { parseAttemptId } from "../domain/index.ts";

/** Folder of what a run leaves for people: transcripts. */
export const runFolder = (home: string, runId: string): string => join(home, "runs", runId);

/** Transcript of one process of an attempt: `agent`, `setup`, `gate-<k>`. NDJSON `{seq, at, stream, text}`. */
export function transcriptPath(home: string, attempt: string, role: string): string {
  const ref = parseAttemptId(attempt);
  if (!ref) throw new TypeError(`${attempt} is no attempt id`);
  return join(runFolder(home, ref.runId), `${encodeURIComponent(ref.stepPath)}-${ref.n}.${encodeURIComponent(role)}.ndjson`);
}
