import type { AgentHandle, ExecutionContext } from "./contract.ts";

/** Progress of a process for people. What was told before its engine died is not told again while the next one reads it up. */
export const toldOnce =
  (handle: AgentHandle, progress: ExecutionContext["progress"]): ExecutionContext["progress"] =>
  (text) => {
    if (!handle.isReplaying?.()) progress(text);
  };
