/**
 * How an attempt is executed. An executor turns a task into work in a workspace through a process that an AgentHost
 * owns. It never decides whether the work is good: that is the gates' business.
 */
export type {
  AgentHandle,
  AgentHost,
  AttemptTask,
  ExecutionContext,
  ExecutionResult,
  Executor,
  Exit,
  OutputLine,
  PermissionAnswer,
  PermissionRequest,
  Preflight,
  ProcessRecord,
  ReportedTokens,
  SpawnSpec,
} from "./contract.ts";
export { createLocalHost, type LocalHostOptions } from "./host/local.ts";
export { endProcess, isAlive, processStartTime, type EndGrace } from "./host/process.ts";
export { createShellExecutor, type ShellExecutorOptions } from "./shell/executor.ts";
export { createChatExecutor, type ChatExecutorOptions } from "./chat/executor.ts";
export { AgentError, type AgentErrorCode } from "./errors.ts";
