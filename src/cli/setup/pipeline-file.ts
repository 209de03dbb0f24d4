import { existsSync } from "node:fs";
import { relative, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { formatProblems, MAX_YAML_BYTES, readTextFile } from "../../config/index.ts";
import type { Pipeline } from "../../domain/index.ts";
import { loadPipeline, parsePipeline, type PipelineProblem } from "../../pipeline/index.ts";
import type { Cli } from "../cli.ts";
import { InputProblems, isTyped, RequestError } from "../../setup/failure.ts";

const MODULE = /\.[cm]?[jt]s$/;

export type PipelineFile = { ok: true; pipeline: Pipeline } | { ok: false; problems: PipelineProblem[]; sources: Record<string, string> };

/**
 * Reads a pipeline, or answers its problems under the names a person would type, with the texts they stand in. A `.ts` or `.js` file is a
 * module whose default export is a pipeline in TypeScript: it is executed. `tiers`: those that there are; without them any name will do.
 */
export async function readPipelineFile(cli: Pick<Cli, "cwd">, file: string, tiers?: readonly string[]): Promise<PipelineFile> {
  const known = tiers ? { tiers } : {};
  const path = resolve(cli.cwd, file);
  if (MODULE.test(path)) {
    const yaml = await yamlOfModule(path, file);
    const typed = parsePipeline(yaml, file, known);
    return typed.ok ? typed : { ok: false, problems: typed.problems, sources: { [file]: yaml } };
  }
  const parsed = loadPipeline(path, known);
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
export async function requirePipeline(cli: Pick<Cli, "cwd">, file: string, tiers?: readonly string[]): Promise<Pipeline> {
  const read = await readPipelineFile(cli, file, tiers);
  if (read.ok) return read.pipeline;
  throw new InputProblems(read.problems, formatProblems(read.problems, read.sources));
}

async function yamlOfModule(path: string, file: string): Promise<string> {
  const hint = 'Let it `export default pipeline(...)`, with `pipeline` from "stepfall".';
  if (!existsSync(path)) throw new RequestError("PIPELINE_MODULE", `there is no file ${file}`, "Give the path of a pipeline.");
  let module: { default?: unknown };
  try {
    module = (await import(pathToFileURL(path).href)) as typeof module;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new RequestError("PIPELINE_MODULE", `${file} cannot be loaded: ${message}`, isTyped(error) ? error.hint : hint);
  }
  const typed = module.default as { toYaml?: unknown } | null | undefined;
  if (typeof typed?.toYaml !== "function") throw new RequestError("PIPELINE_MODULE", `the default export of ${file} is no pipeline`, hint);
  return String((typed.toYaml as () => unknown).call(typed));
}
