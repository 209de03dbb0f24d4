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
  Preflight,
  ProcessRecord,
  SpawnSpec,
} from "./contract.ts";
export { createLocalHost, type LocalHostOptions } from "./host/local.ts";
export { endProcess, isAlive, processStartTime } from "./host/process.ts";
export { createShellExecutor } from "./shell/executor.ts";
export { createChatExecutor } from "./chat/executor.ts";
