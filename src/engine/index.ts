/** Composes the rooms below: start a run, drive it, look at it. */
export type {
  AgentExecution,
  ConfineRequest,
  DriveEnd,
  DriveOptions,
  Engine,
  EngineDeps,
  Feed,
  Isolation,
  StartRequest,
} from "./contract.ts";
export { createEngine } from "./engine.ts";
export { EngineError, type EngineErrorCode } from "./errors.ts";
export { runFolder, transcriptPath } from "./paths.ts";
export { answerItem, type Answer } from "./inbox.ts";
export { spentOn } from "./spending.ts";
