/** Stepfall in a program of one's own: pipelines in TypeScript, and the class that runs them. */
export { isStepfallError, LibraryError, type LibraryErrorCode } from "./errors.ts";
export type { FunctionAgentOptions } from "./open-engine.ts";
export type { PipelineSource } from "./pipeline-source.ts";
export type { RunResult, StepOutcome } from "./result.ts";
export { Run, type AnswerOptions } from "./run.ts";
export type { Stats } from "./stats.ts";
export { Stepfall, type RunOptions, type StepfallOptions } from "./stepfall.ts";
export type { Builder, MatrixChange } from "./typed/builder.ts";
export { cel, literal, type AnyExpression, type Expression, type Later, type ValueOf } from "./typed/expression.ts";
export { input, type InputSpec, type InputValues } from "./typed/inputs.ts";
export { json, type FromJsonSchema, type JsonFile } from "./typed/json-output.ts";
export { pipeline, type OutputsOf, type PipelineSpec } from "./typed/pipeline.ts";
export type { AgentSpec, ApproveSpec, AskSpec, CommandSpec, Condition, NestedSpec, StepRef, Text } from "./typed/step-spec.ts";
export { TypedPipeline } from "./typed/typed-pipeline.ts";
export { when } from "./typed/when.ts";
