import type { RunState } from "../../domain/index.ts";
import { RequestError } from "../../setup/failure.ts";

/** Throws where a run cannot be started again: it is not over, or it is not a run that a person starts. */
export function requireAgain(state: RunState): void {
  const { runId, workload } = state;
  if (workload)
    throw new RequestError(
      "RUN_UNREPEATABLE",
      `run ${runId} is a try of the task ${workload.task} of the workload ${workload.name}: it belongs to a benchmark`,
      "`stepfall bench-agents` tries agents on it again.",
    );
  if (state.status !== "finished")
    throw new RequestError(
      "RUN_UNFINISHED",
      `run ${runId} is not over`,
      `Go on with it: \`stepfall resume ${runId}\`. Or end it first: \`stepfall cancel ${runId}\`.`,
    );
}
