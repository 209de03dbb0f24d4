import { budgetName, parseAttemptId, type RunState } from "../../domain/index.ts";
import { cut } from "./format.ts";

/** How a message of the journal is put for people: budgets by what they are for, not by their ids. */
export const plainWords = (message: string): string =>
  message.replaceAll(
    /\b([Tt])he budget ((?:fleet|project|run|step|attempt):\S+)/g,
    (_, t: string, id: string) => t + budgetName(id).slice(1),
  );

/** What is called a failure of the agent is, where a command ran, one of the command. */
export const failureWord = (stepKind: string | undefined, failureKind: string): string =>
  stepKind === "command" && failureKind === "agent" ? "command" : failureKind;

/** As `failureWord`, for an attempt of a run. */
export const failureWordOf = (state: Pick<RunState, "steps">, attempt: string, failureKind: string): string =>
  failureWord(state.steps.get(parseAttemptId(attempt)?.stepPath ?? "")?.step.kind, failureKind);

/** A message in one line. Where its first line only announces what follows (`exit 3. Its last output:`), the last of that comes with it. */
export function gist(message: string, most = 160): string {
  const lines = plainWords(message)
    .split("\n")
    .map((l) => l.trim())
    .filter((l) => l !== "");
  const [first = ""] = lines;
  const last = lines.length > 1 && first.endsWith(":") ? ` ${lines.at(-1)}` : "";
  return cut(first + last, most);
}
