/**
 * How an attempt is executed. An executor turns a task into work in a workspace through a process that an AgentHost
 * owns. It never decides whether the work is good: that is the gates' business.
 */
export type {
  AgentHandle,
  AgentHost,
  AgentMessage,
  AttemptTask,
  Confine,
  ExecutionContext,
  ExecutionResult,
  Executor,
  Exit,
  Messages,
  OutputLine,
  PermissionAnswer,
  PermissionRequest,
  Preflight,
  ProcessRecord,
  ReportedTokens,
  SpawnSpec,
} from "./contract.ts";
export { takesMessages } from "./takes-messages.ts";
export { createLocalHost, type LocalHostOptions } from "./host/local.ts";
export { createKeeperHost } from "./keeper/host.ts";
export type { Beat, KeeperHost, KeeperHostOptions, KeepRequest, KeptProcess, KeptState } from "./keeper/contract.ts";
export { endProcess, isAlive, isStopped, processStartTime, type EndGrace } from "./host/process.ts";
export { createShellExecutor, type ShellExecutorOptions } from "./shell/executor.ts";
export { createChatExecutor, type ChatExecutorOptions } from "./chat/executor.ts";
export type { ReadReply, ReplyEdits, ReplyTree } from "./chat/text-edits.ts";
export type { ChatProcessOptions } from "./chat/process.ts";
export { startChatProcess } from "./chat/start-process.ts";
export { createAcpExecutor, type AcpExecutorOptions } from "./acp/executor.ts";
export { presets } from "./presets/table.ts";
export type { AgentPreset, AgentSetup, PresetId, SetupInput, WireFormat } from "./presets/contract.ts";
export { createCliExecutor, type CliExecutorOptions } from "./cli/executor.ts";
export {
  createFunctionExecutor,
  type FunctionAnswer,
  type FunctionContext,
  type FunctionExecutorOptions,
  type FunctionHandler,
} from "./function/executor.ts";
export { createHttpExecutor, type HttpExecutorOptions } from "./http/executor.ts";
export { serveAgent, type ServeAgentOptions, type ServedAgent, type TaskLease } from "./http/serve.ts";
export { confinementOf, type ConfinedNetwork, type Confinement, type ConfinementInput } from "./sandbox/confinement.ts";
export { confine, type SandboxTools } from "./sandbox/wrap.ts";
export { confinedHost } from "./sandbox/host.ts";
export { detectIsolation, type DetectOptions, type Isolation } from "./sandbox/detect.ts";
export { isAllowed, parseDomain } from "./sandbox/domains.ts";
export { agentsWithOwnSandbox } from "./sandbox/own.ts";
export { objectFolders } from "./sandbox/objects.ts";
export { AgentError, type AgentErrorCode } from "./errors.ts";
