import { currentAttempt, type AttemptState, type RunState, type WorkStep } from "../domain/index.ts";
import type { AgentReply } from "../models/index.ts";

/** Whose requests are answered. */
export interface Asker {
  step: WorkStep;
  attempt: string;
  agent: string;
  /** Aborts when the attempt is over, or somebody else's. */
  signal: AbortSignal;
  /** Its wait for a person is no silence of its own. */
  waiting<T>(what: string, answer: Promise<T>): Promise<T>;
}

export const says = (text: string): AgentReply => ({ text });
export const refuses = (text: string): AgentReply => ({ text, isError: true });
export const over = refuses("The attempt is over.");
export const notUnderstood = refuses("The input of this tool is not as its schema says.");

/** The attempt of whoever asks; `undefined`: it is over, or another's. */
export function attemptOf(state: RunState, { step, attempt }: Pick<Asker, "step" | "attempt">): AttemptState | undefined {
  const s = state.steps.get(step.path);
  const a = s && currentAttempt(s);
  return a?.id === attempt && a.phase === "running" ? a : undefined;
}
