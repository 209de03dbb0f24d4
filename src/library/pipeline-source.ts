import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { MAX_YAML_BYTES, readTextFile } from "../config/index.ts";
import type { Pipeline } from "../domain/index.ts";
import { formatProblems, loadPipeline, parsePipeline, type PipelineProblem } from "../pipeline/index.ts";
import { LibraryError } from "./errors.ts";
import { TypedPipeline } from "./typed/typed-pipeline.ts";

/**
 * What can be run: a pipeline in TypeScript, the path of a file (from the project's folder), or YAML itself. A file is YAML, or a module (`.ts`,
 * `.js`, `.mjs`) whose default export is a pipeline in TypeScript; such a module is executed.
 */
export type PipelineSource<I = unknown, O = unknown> = TypedPipeline<I, O> | string | { readonly yaml: string };

export interface LoadedPipeline {
  pipeline: Pipeline;
  /** Path of the file, if it comes from one. */
  source?: string;
}

const MODULE = /\.[cm]?[jt]s$/;

/** Throws PIPELINE_INVALID. */
export async function readPipelineSource(from: PipelineSource, folder: string): Promise<LoadedPipeline> {
  if (from instanceof TypedPipeline) return { pipeline: from.pipeline };
  if (typeof from === "string" && MODULE.test(from)) return readModule(resolve(folder, from));
  if (typeof from !== "string") {
    const parsed = parsePipeline(from.yaml, "pipeline");
    if (parsed.ok) return { pipeline: parsed.pipeline };
    throw invalid(parsed.problems, { pipeline: from.yaml });
  }
  const path = resolve(folder, from);
  const parsed = loadPipeline(path);
  if (parsed.ok) return { pipeline: parsed.pipeline, source: path };
  const sources = new Set(parsed.problems.map((problem) => problem.file));
  const texts = [...sources].flatMap((file): [string, string][] => {
    const text = readTextFile(file, MAX_YAML_BYTES);
    return text.ok ? [[file, text.text]] : [];
  });
  throw invalid(parsed.problems, Object.fromEntries(texts));
}

async function readModule(path: string): Promise<LoadedPipeline> {
  const hint = "Let it `export default pipeline(...)`.";
  let module: { default?: unknown };
  try {
    module = (await import(pathToFileURL(path).href)) as typeof module;
  } catch (cause) {
    if (cause instanceof LibraryError) throw cause;
    throw new LibraryError(
      "PIPELINE_INVALID",
      `${path} cannot be loaded: ${cause instanceof Error ? cause.message : String(cause)}`,
      hint,
      { cause },
    );
  }
  const typed = module.default;
  if (typed instanceof TypedPipeline) return { pipeline: typed.pipeline, source: path };
  throw new LibraryError("PIPELINE_INVALID", `the default export of ${path} is no pipeline of this installation of stepfall`, hint);
}

const invalid = (problems: readonly PipelineProblem[], sources: Readonly<Record<string, string>>): LibraryError =>
  new LibraryError("PIPELINE_INVALID", formatProblems([...problems], sources), "Correct the pipeline.", { problems });
