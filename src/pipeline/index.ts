/** YAML -> validated `Pipeline` of the domain, or everything that is wrong with it, with places. */
export { loadPipeline, parsePipeline } from "./parse.ts";
export { pipelineJsonSchema } from "./shape.ts";
export { criticalPathLengths } from "./graph.ts";
export { compileJsonSchema, type CompiledJsonSchema } from "./json-schema.ts";
export { formatProblems } from "../config/index.ts";
export type { ParsedPipeline, PipelineProblem, PipelineProblemCode } from "./problem.ts";
