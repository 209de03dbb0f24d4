import { relative, resolve } from "node:path";
import { formatProblems, MAX_YAML_BYTES, readTextFile } from "../../config/index.ts";
import type { Pipeline } from "../../domain/index.ts";
import { loadPipeline, type PipelineProblem } from "../../pipeline/index.ts";
import type { Cli } from "../cli.ts";
import { InputProblems } from "../../setup/failure.ts";

export type PipelineFile = { ok: true; pipeline: Pipeline } | { ok: false; problems: PipelineProblem[]; sources: Record<string, string> };

/** Reads a pipeline, or answers its problems under the names a person would type, with the texts they stand in. */
export function readPipelineFile(cli: Pick<Cli, "cwd">, file: string): PipelineFile {
  const path = resolve(cli.cwd, file);
  const parsed = loadPipeline(path);
  if (parsed.ok) return parsed;
  const sources: Record<string, string> = {};
  const problems = parsed.problems.map((problem) => {
    const name = problem.file === path ? file : relative(cli.cwd, resolve(cli.cwd, problem.file));
    const text = sources[name] === undefined ? readTextFile(resolve(cli.cwd, problem.file), MAX_YAML_BYTES) : undefined;
    if (text?.ok) sources[name] = text.text;
    return { ...problem, file: name };
  });
  return { ok: false, problems, sources };
}

/** The same; throws InputProblems. */
export function requirePipeline(cli: Pick<Cli, "cwd">, file: string): Pipeline {
  const read = readPipelineFile(cli, file);
  if (read.ok) return read.pipeline;
  throw new InputProblems(read.problems, formatProblems(read.problems, read.sources));
}
