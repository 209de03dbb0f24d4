import type { Control } from "../../control/index.ts";
import { isTyped } from "../../setup/failure.ts";
import type { Cli } from "../cli.ts";
import { actorOf } from "../setup/person.ts";
import { commandLine } from "../show/summary.ts";
import type { Act } from "./keys.ts";

/**
 * Does what a person wants, as the dashboard does it: as an event of the run, and with a process for the run where nobody drives it any more. Answers
 * what came of it, in a sentence.
 */
export async function carryOutAct(
  cli: Cli,
  control: Pick<Control, "answer" | "message" | "cancel">,
  act: Exclude<Act, { kind: "leave" }>,
): Promise<string> {
  const actor = actorOf(cli);
  try {
    switch (act.kind) {
      case "answer": {
        const { item, verdict, text } = act;
        const { stillNeeded } = await control.answer(actor, item, { verdict, ...(text === undefined ? {} : { text }) });
        const said = `${item}: ${verdict === "answer" ? `answered "${text ?? ""}"` : verdict}`;
        return `${said}. ${stillNeeded > 0 ? `${stillNeeded} more must approve.` : "The run goes on."}`;
      }
      case "message": {
        const { agent } = await control.message(actor, act.runId, act);
        return `Said to ${act.step} (${agent}).`;
      }
      case "cancel": {
        const { outcome } = await control.cancel(actor, act.runId);
        if (outcome === undefined) return `Cancel requested, and not over yet. If it stays so: ${commandLine(cli, "cancel", act.runId)}`;
        return outcome === "cancelled" ? `Run ${act.runId} is cancelled.` : `Run ${act.runId} was over already: it ${outcome}.`;
      }
      default:
        return act satisfies never;
    }
  } catch (error) {
    if (isTyped(error)) return `Not done: ${error.message}. ${error.hint}`;
    throw error;
  }
}
