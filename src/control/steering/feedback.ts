import type { AttemptState, StepState } from "../../domain/index.ts";
import { RequestError } from "../../setup/failure.ts";
import { findStep } from "../find-step.ts";
import { nameOf, request, type Asking } from "../request.ts";

export interface FeedbackWanted {
  /** Its path, or an end of it that only one step has. */
  step: string;
  /** Number of the attempt; default: the last one that was judged. */
  attempt?: number | string | undefined;
  verdict: "right" | "wrong";
  because?: string | undefined;
}

export interface FeedbackRecorded {
  attempt: AttemptState;
  by: string;
  gates: "accepted" | "refused";
  /** The gates were wrong. */
  isError: boolean;
}

/** Records what a result turned out to be worth. It changes nothing of the run; gates and agents are measured by it. */
export async function giveFeedback(asking: Asking, runId: string, wanted: FeedbackWanted): Promise<FeedbackRecorded> {
  const by = nameOf(asking.actor);
  const { verdict } = wanted;
  const { event, state } = await request(asking, runId, (s) => {
    const step = findStep(s, wanted.step);
    const because = wanted.because === undefined ? {} : { because: wanted.because };
    return { type: "FeedbackGiven", data: { attempt: judgedIn(step, wanted.attempt).id, step: step.step.path, verdict, by, ...because } };
  });
  const about = event?.type === "FeedbackGiven" ? event.data.attempt : undefined;
  const attempt = judgedIn(findStep(state, wanted.step), about?.slice(about.lastIndexOf("#") + 1));
  const gates = isAccepted(attempt) ? "accepted" : "refused";
  return { attempt, by, gates, isError: isAccepted(attempt) === (verdict === "wrong") };
}

const isAccepted = ({ phase }: AttemptState): boolean =>
  phase === "accepted" || phase === "merging" || phase === "merged" || phase === "refused";

function judgedIn(s: StepState, n: number | string | undefined): AttemptState {
  const judged = s.attempts.filter((a) => isAccepted(a) || a.phase === "rejected");
  const { path } = s.step;
  const known = judged.map((a) => a.n).join(", ");
  if (n === undefined) {
    const last = judged.at(-1);
    if (last) return last;
    throw new RequestError("USAGE", `no attempt at ${path} was judged yet`, "There is nothing to say of it.");
  }
  const found = judged.find((a) => String(a.n) === String(n));
  if (found) return found;
  throw new RequestError("USAGE", `${path} has no judged attempt ${n}`, known === "" ? "None was judged yet." : `Judged are: ${known}.`);
}
