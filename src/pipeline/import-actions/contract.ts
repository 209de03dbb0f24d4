import type { Problem, ReadingCode } from "../../config/index.ts";
import type { PipelineProblem } from "../problem.ts";

/** A scalar as the workflow spells its type: `timeout-minutes: 5` is a number, `${{ inputs.minutes }}` a text. */
export type WorkflowScalar = string | number | boolean;

/** How GitHub would multiply a job. */
export interface ActionsMatrix {
  /**
   * How many jobs it becomes, by GitHub's rule: the product of the axes, less `exclude`, and one more for each entry of
   * `include` that fits no combination. `undefined` when an expression decides it at run time.
   */
  combinations: number | undefined;
  /** No axes: each entry of `include` is a job. */
  isIncludeOnly: boolean;
  failFast: WorkflowScalar;
  maxParallel: WorkflowScalar | undefined;
}

export interface ActionsJob {
  id: string;
  /** Ids of jobs, in the order of the file, each once. */
  needs: string[];
  /** As it is written, with or without `${{ }}`. */
  if?: WorkflowScalar;
  matrix?: ActionsMatrix;
  /** The reusable workflow it calls. */
  uses?: string;
  timeoutMinutes?: WorkflowScalar;
  continueOnError?: WorkflowScalar;
  /** How many steps it has, and how many of these have an `if`. */
  steps: number;
  stepIfs: number;
}

/** The jobs in the order of the file. Acyclic. */
export interface ActionsDag {
  jobs: ActionsJob[];
  /** `to` needs `from`. */
  edges: { from: string; to: string }[];
}

/** Something of the workflow that the pipeline does otherwise, or not at all. */
export interface ImportNote {
  /** What it is, as a path of the workflow: `jobs.build.steps[2]`. */
  name: string;
  /** Counts from 1. */
  line: number;
  /**
   * `dropped`: it is left out, and nothing that the pipeline checks hangs on it. `changed`: the pipeline does it in another way.
   * `stops`: the pipeline has no way to do it; the step fails there with this message.
   */
  effect: "dropped" | "changed" | "stops";
  message: string;
}

export type ImportProblemCode = ReadingCode | "NO_JOBS" | "SELF_NEED" | "UNKNOWN_NEED" | "PIPELINE_CYCLE";
export type ImportProblem = Problem<ImportProblemCode>;

export type ImportedActions =
  | {
      ok: true;
      dag: ActionsDag;
      /** A pipeline file, YAML. */
      pipeline: string;
      notes: ImportNote[];
      /** Why `pipeline` does not load as it is, with places in that text; empty when it does. */
      unloadable: PipelineProblem[];
    }
  | { ok: false; problems: ImportProblem[] };
