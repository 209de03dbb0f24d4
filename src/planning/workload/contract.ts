import type { AgentStep } from "../../domain/index.ts";
import type { PipelineProblem } from "../../pipeline/index.ts";

/** What agents are measured by: tasks of which gates can tell whether they are done. */
export interface Workload {
  name: string;
  description?: string | undefined;
  /** Ids of the agents that are tried. Absent: all. */
  agents?: readonly string[] | undefined;
  /** In the order of the file. */
  tasks: readonly WorkloadTask[];
}

export interface WorkloadTask {
  id: string;
  /** How hard it is taken to be, 1 to 10. */
  complexity: number;
  /** How often each agent does it. */
  repeat: number;
  /** What the project holds before, by path. */
  files: readonly TaskFile[];
  /** As an agent is given it, but for whose agent that is. It has one try. */
  step: AgentStep & { type: string };
}

export interface TaskFile {
  path: string;
  content: Uint8Array;
  isExecutable: boolean;
}

export type WorkloadProblem = PipelineProblem;
export type ReadWorkload =
  | { ok: true; workload: Workload }
  | { ok: false; problems: WorkloadProblem[]; /** Absent: the file could not be read. */ text?: string };
