import type { Path, YamlSource } from "../config/index.ts";
import type { Input, Pipeline } from "../domain/index.ts";
import type { PipelineProblem } from "./problem.ts";
import type { PipelineFields } from "./shape.ts";

/** One pipeline being read: the file, or steps written in place inside it. */
export interface Reading {
  source: YamlSource;
  /** What the file says for all its steps. */
  file: PipelineFields;
  /** Its variables as they are spelt. */
  env: Readonly<Record<string, string>>;
  names: Names;
  nested: NestedReader;
  /** How many pipelines stand around it. */
  depth: number;
}

/** What expressions may name beside steps. */
export interface Names {
  inputs: ReadonlySet<string>;
  secrets: ReadonlySet<string>;
  /** Those of `matrix`, `item`, `index`, `round` that there are. */
  locals: ReadonlySet<string>;
  /** Axes of `matrix`; absent when they are known only later. */
  axes?: ReadonlySet<string> | undefined;
}

export interface ReadPipeline {
  pipeline: Pipeline;
  file: PipelineFields;
  env: Readonly<Record<string, string>>;
  names: Names;
}

/** Reads what a step nests. Handed in, so that a step's check needs to know neither files nor itself. */
export interface NestedReader {
  /** Steps written in place, at `path` of the reading's source. */
  inPlace(reading: Reading, path: Path): { problems: PipelineProblem[]; pipeline?: Pipeline };
  /** A file named by the step at `path`; `isRepeated`: it may use `round`. */
  file(reading: Reading, path: Path, name: string, isRepeated: boolean): { problems: PipelineProblem[]; read?: ReadPipeline };
  /** Counts steps against what one pipeline may hold with all it nests. */
  count(steps: number): boolean;
}

export type Inputs = Readonly<Record<string, Input>>;
export const DEEPEST_NESTING = 5;
export const MOST_STEPS = 10_000;

export const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
