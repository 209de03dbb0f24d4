import { create } from "zustand";
import { actions } from "./actions.ts";
import { asProblem, type Problem } from "./api/problem.ts";
import type { Answered, Verdict } from "./api/shapes.ts";

/** What became of an answer that was given here. Only `recorded` is one that the journal has. */
export type GivenAnswer =
  | { kind: "sending"; verdict: Verdict; text?: string }
  | { kind: "recorded"; verdict: Verdict; text?: string; answered: Answered }
  | { kind: "failed"; verdict: Verdict; text?: string; problem: Problem };

/** By item. Kept here and not by what shows it: going on to the next item must not lose how the last one went. */
const useGiven = create<Readonly<Record<string, GivenAnswer>>>(() => ({}));

export const useGivenAnswers = (): Readonly<Record<string, GivenAnswer>> => useGiven();

/** Sends an answer; resolves to whether it was recorded. A second one for an item that is under way is not sent. */
export async function giveAnswer(item: string, verdict: Verdict, text?: string): Promise<boolean> {
  if (useGiven.getState()[item]?.kind === "sending") return false;
  const said = { verdict, ...(text === undefined ? {} : { text }) };
  useGiven.setState({ [item]: { kind: "sending", ...said } });
  try {
    const answered = await actions.answer({ item, ...said });
    useGiven.setState({ [item]: { kind: "recorded", ...said, answered } });
    return true;
  } catch (error) {
    useGiven.setState({ [item]: { kind: "failed", ...said, problem: asProblem(error) } });
    return false;
  }
}
