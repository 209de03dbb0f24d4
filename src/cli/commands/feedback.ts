import { giveFeedback } from "../../control/index.ts";
import { RequestError } from "../../setup/failure.ts";
import { findRun } from "../../setup/find-run.ts";
import { withStore } from "../../setup/store.ts";
import { Exit, type Cli } from "../cli.ts";
import { askingAs } from "../setup/person.ts";

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
    const wanted = { step: given, attempt: flags.attempt, verdict, because: flags.reason };
    const { attempt, by, gates, isError } = await giveFeedback(askingAs(cli, store), runId, wanted);
    if (cli.json) cli.out.json({ version: 1, runId, attempt: attempt.id, verdict, by, gates });
    else
      cli.out.data(
        `${attempt.id.slice(runId.length + 1)} (${attempt.agent ?? "no agent"}, ${attempt.tier}) was ${gates} and is ${verdict}${isError ? ": a wrong verdict of its gates" : ""}`,
      );
    return Exit.ok;
  });
}
