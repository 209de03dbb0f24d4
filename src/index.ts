/**
 * Stepfall as a library: read a pipeline, put an engine together, drive a run. The CLI is built from the same parts
 * (`src/setup/assemble.ts` is the example to follow). Each thing is documented where it is declared; what is not
 * listed here is not part of the contract and may change in any release.
 */

// Pipelines: from YAML to a validated value, or everything that is wrong with it.
export {
  formatProblems,
  loadPipeline,
  parsePipeline,
  type ParsedPipeline,
  type PipelineProblem,
  type PipelineProblemCode,
} from "./pipeline/index.ts";
export type { AgentStep, CommandStep, Gate, JsonOutput, Pipeline, Step } from "./domain/index.ts";

// The engine: starts a run, drives it to its end, tells what happens.
export {
  createEngine,
  EngineError,
  type AgentExecution,
  type DriveEnd,
  type DriveOptions,
  type Engine,
  type EngineDeps,
  type EngineErrorCode,
  type Feed,
  type StartRequest,
} from "./engine/index.ts";

// What the engine stands on.
export { openSqliteStore, StoreError, type SqliteStoreOptions, type Store, type StoreErrorCode } from "./store/index.ts";
export {
  openProject,
  openWorkspaces,
  WorkspaceError,
  type OpenProjectOptions,
  type Project,
  type WorkspaceErrorCode,
  type Workspaces,
  type WorkspacesOptions,
} from "./workspace/index.ts";
export { formatHolder, parseHolder, Registry, RegistryError, type Holder, type RegisteredAgent } from "./fleet/index.ts";
export {
  connectGateway,
  GatewayError,
  SHELL_AGENT,
  type ConnectGatewayOptions,
  type GatewayClient,
  type GatewayErrorCode,
  type ModelPrice,
  type Upstream,
} from "./models/index.ts";

// Executors: how attempts are carried out, and the contract for one of your own.
export {
  AgentError,
  createChatExecutor,
  createLocalHost,
  createShellExecutor,
  processStartTime,
  type AgentErrorCode,
  type AgentHandle,
  type AgentHost,
  type AttemptTask,
  type ChatExecutorOptions,
  type ExecutionContext,
  type ExecutionResult,
  type Executor,
  type Exit,
  type LocalHostOptions,
  type OutputLine,
  type Preflight,
  type SpawnSpec,
} from "./agents/index.ts";

// Runs as the journal tells them: events, and their fold.
export {
  fold,
  formatUsd,
  runStream,
  usd,
  type AttemptState,
  type Clock,
  type EventData,
  type EventType,
  type MicroUsd,
  type Recorded,
  type RunEvent,
  type RunState,
  type StepState,
  type Usage,
} from "./domain/index.ts";
