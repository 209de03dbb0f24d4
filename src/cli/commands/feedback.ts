import type { AttemptState, StepState } from "../../domain/index.ts";
import { RequestError } from "../../setup/failure.ts";
import { findRun } from "../../setup/find-run.ts";
import { withStore } from "../../setup/store.ts";
import { Exit, type Cli } from "../cli.ts";
import { findStep } from "../setup/find-step.ts";
import { actorOf, request } from "../setup/merge-run.ts";

export interface FeedbackFlags {
  run?: string | undefined;
  /** Number of the attempt; default: the last one that was judged. */
  attempt?: string | undefined;
  reason?: string | undefined;
}

const VERDICTS: Readonly<Record<string, "right" | "wrong">> = { right: "right", good: "right", wrong: "wrong", bad: "wrong" };

/**
 * `stepfall feedback STEP right|wrong`: what a result turned out to be worth. It changes nothing of the run; gates and agents are measured by it.
 */
export async function feedback(cli: Cli, given: string, word: string, flags: FeedbackFlags): Promise<number> {
  const verdict = VERDICTS[word];
  if (!verdict) throw new RequestError("USAGE", `${JSON.stringify(word)} is no verdict`, "Say `right` or `wrong`.");
  return withStore(cli, async (store) => {
    const { runId } = await findRun(cli, store, flags.run);
    const by = actorOf(cli).replace(/^cli:/, "");
    let about: AttemptState | undefined;
    await request(cli, store, runId, (state) => {
      const s = findStep(state, given);
      const attempt = (about = judgedIn(s, flags.attempt));
      const because = flags.reason === undefined ? {} : { because: flags.reason };
      return { type: "FeedbackGiven", data: { attempt: attempt.id, step: s.step.path, verdict, by, ...because } };
    });
    if (!about) return Exit.failed;
    const gates = isAccepted(about) ? "accepted" : "refused";
    const isError = isAccepted(about) === (verdict === "wrong");
    if (cli.json) cli.out.json({ version: 1, runId, attempt: about.id, verdict, by, gates });
    else
      cli.out.data(
        `${about.id.slice(runId.length + 1)} (${about.agent ?? "no agent"}, ${about.tier}) was ${gates} and is ${verdict}${isError ? ": a wrong verdict of its gates" : ""}`,
      );
    return Exit.ok;
  });
}

const isAccepted = ({ phase }: AttemptState): boolean =>
  phase === "accepted" || phase === "merging" || phase === "merged" || phase === "refused";

function judgedIn(s: StepState, n: string | undefined): AttemptState {
  const judged = s.attempts.filter((a) => isAccepted(a) || a.phase === "rejected");
  const { path } = s.step;
  const known = judged.map((a) => a.n).join(", ");
  if (n === undefined) {
    const last = judged.at(-1);
    if (last) return last;
    throw new RequestError("USAGE", `no attempt at ${path} was judged yet`, "There is nothing to say of it.");
  }
  const found = judged.find((a) => String(a.n) === n);
  if (found) return found;
  throw new RequestError("USAGE", `${path} has no judged attempt ${n}`, known === "" ? "None was judged yet." : `Judged are: ${known}.`);
}
