/** YAML -> validated `Pipeline` of the domain, or everything that is wrong with it, with places. */
export { loadPipeline, parsePipeline } from "./parse.ts";
export { pipelineJsonSchema } from "./published-schema.ts";
export { pipelineGraph, type StepGraph, type StepNode } from "./graph-of-steps.ts";
export { toMermaid, toText } from "./draw.ts";
export { criticalPathLengths } from "./graph.ts";
export { compileJsonSchema, type CompiledJsonSchema } from "./json-schema.ts";
export type { Evaluated, EvaluationCode, EvaluationProblem, ResolvedInputs, Scope, StepResult } from "./evaluate.ts";
export { resolveInputs } from "./inputs.ts";
export { resolveStep } from "./resolve.ts";
export { expandGroup, groupOutput, pipelineOutputs, repeatIsDone } from "./expand.ts";
export { compileHookFilter, type FilterScope, type HookFilter } from "./hook-filter.ts";
export { fillSecrets, secretsIn } from "./expression/secrets.ts";
export { importActions, type ActionsDag, type ImportedActions, type ImportNote, type ImportProblem } from "./import-actions/index.ts";
export { formatProblems } from "../config/index.ts";
export type { ParsedPipeline, PipelineProblem, PipelineProblemCode } from "./problem.ts";
