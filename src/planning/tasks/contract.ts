import type { MicroUsd } from "../../domain/index.ts";
import type { ParsedPipeline } from "../../pipeline/index.ts";

/** One thing to be done by an agent, as a person says it. What is absent is found or made up. */
export interface Task {
  task: string;
  /** Shell commands that decide; absent: the gates for all. */
  gates?: readonly string[] | undefined;
  setup?: readonly string[] | undefined;
  /** Globs that must match something when it is done. */
  outputs?: readonly string[] | undefined;
  touches?: readonly string[] | undefined;
  /** Ids of tasks that must be done before. */
  needs?: readonly string[] | undefined;
  id?: string | undefined;
  budget?: MicroUsd | undefined;
}

/** What holds for every task that says nothing else. */
export interface TaskDefaults {
  /** Empty: a task without outputs is done when it changed anything at all. */
  gates: readonly string[];
  setup: readonly string[];
  /** Most the whole run may spend. */
  budget?: MicroUsd | undefined;
}

/** A pipeline as text, and as it loads. */
export interface TaskPipeline {
  /** YAML that `stepfall run` accepts. */
  text: string;
  parsed: ParsedPipeline;
}
