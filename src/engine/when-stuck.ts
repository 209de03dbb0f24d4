import { stuckRule, type LivenessItem } from "../fleet/index.ts";
import type { AttemptWork } from "./attempt.ts";
import type { AttemptWatch } from "./watch.ts";

const choices = ["wait", "retry", "fail"] as const;

/** What is done with an attempt that makes no progress: what its step says, or what people say. `isFinal`: the step is not tried again. */
export async function whenStuck(
  { step, attempt, signal, ask }: Pick<AttemptWork, "step" | "attempt" | "signal" | "ask">,
  { evidence }: Pick<LivenessItem, "evidence">,
  watch: Pick<AttemptWatch, "waiting" | "beginAnew">,
  end: (how: { message: string; isFinal: boolean }) => void,
): Promise<void> {
  const what = evidence.join("; ");
  const move = stuckRule(step)?.move;
  if (move === undefined) return;
  if (move !== "ask") return end({ message: `it made no progress: ${what}`, isFinal: move === "fail" });
  const question = { title: `${step.path} makes no progress: what now?`, detail: what, choices };
  const answer = await watch.waiting("stuck", ask(step, attempt, question, signal));
  if (answer === "wait") watch.beginAnew();
  if (answer === "retry" || answer === "fail")
    end({ message: `ended by a person since it made no progress: ${what}`, isFinal: answer === "fail" });
}
