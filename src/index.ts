/**
 * Stepfall as a library. docs/library.md has every name that stands here, with examples that are run; what is not listed is not part of the
 * contract and may change in any release.
 */

// Pipelines in TypeScript, and the class that runs them.
export {
  cel,
  input,
  isStepfallError,
  json,
  LibraryError,
  literal,
  pipeline,
  Run,
  Stepfall,
  TypedPipeline,
  when,
  type AgentSpec,
  type AnswerOptions,
  type AnyExpression,
  type ApproveSpec,
  type AskSpec,
  type Builder,
  type CommandSpec,
  type Condition,
  type Expression,
  type FromJsonSchema,
  type FunctionAgentOptions,
  type InputSpec,
  type InputValues,
  type JsonFile,
  type Later,
  type LibraryErrorCode,
  type MatrixChange,
  type NestedSpec,
  type OutputsOf,
  type PipelineSource,
  type PipelineSpec,
  type RunOptions,
  type RunResult,
  type Stats,
  type StepfallOptions,
  type StepOutcome,
  type StepRef,
  type Text,
  type ValueOf,
} from "./library/index.ts";

// What a function that is an agent is handed, and what it answers.
export type { AttemptTask, FunctionAnswer, FunctionContext, FunctionHandler } from "./agents/index.ts";

// Pipelines as data: from YAML to a validated value, or everything that is wrong with it.
export { formatProblems, parsePipeline, type ParsedPipeline, type PipelineProblem } from "./pipeline/index.ts";

// Runs as the journal tells them, and what they cost.
export {
  fold,
  formatUsd,
  type Clock,
  type EventData,
  type EventType,
  type MicroUsd,
  type Pipeline,
  type Recorded,
  type RunEvent,
  type RunState,
  type Step,
  type Usage,
} from "./domain/index.ts";
export { startScriptedModel, type Bill, type BillRow, type ScriptedModel, type ScriptedModelOptions } from "./models/index.ts";
export type { InboxRow } from "./store/index.ts";
export type { DiffStat } from "./workspace/index.ts";
