/** Composes the rooms below: start a run, drive it, look at it. */
export type {
  AgentExecution,
  BudgetSettings,
  ConfineRequest,
  DriveEnd,
  DriveOptions,
  StepRouting,
  Engine,
  EngineDeps,
  Feed,
  Isolation,
  StartRequest,
  Veto,
  VetoQuestion,
} from "./contract.ts";
export { createEngine } from "./engine.ts";
export { EngineError, type EngineErrorCode } from "./errors.ts";
export { runFolder, transcriptPath } from "./paths.ts";
export { PROMPT_END, readPrompt, retellPrompt } from "./prompt-file.ts";
export { answerItem, type Answer } from "./answer-item.ts";
export { sendMessage, whyNoMessage, type Message, type SentMessage } from "./send-message.ts";
export { projectKey, sharedLimits } from "./budgets.ts";
export { chooseJudges, type ChosenJudges, type JudgeWish } from "./judges.ts";
export { spentOn } from "./spending.ts";
