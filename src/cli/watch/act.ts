import { requestCancel } from "../../control/cancel.ts";
import { openMasks } from "../../control/masks.ts";
import { nameOf } from "../../control/request.ts";
import { answerItem, sendMessage } from "../../engine/index.ts";
import { isTyped } from "../../setup/failure.ts";
import { driverOf, loadRun } from "../../setup/find-run.ts";
import type { Store } from "../../store/index.ts";
import type { Cli } from "../cli.ts";
import { askingAs } from "../setup/merge-run.ts";
import { commandLine } from "../show/summary.ts";
import type { Act } from "./keys.ts";

/** Asks for what a person wants, as an event of the run. Answers what came of it, in a sentence. */
export async function carryOutAct(cli: Cli, store: Store, act: Exclude<Act, { kind: "leave" }>): Promise<string> {
  const asking = askingAs(cli, store);
  try {
    switch (act.kind) {
      case "answer": {
        const { item, verdict, text } = act;
        const by = nameOf(asking.actor);
        const { runId, state } = await answerItem(store, cli.clock, { item, by, verdict, text }, asking.actor);
        const open = state.inbox.get(item);
        const left = open && verdict === "approve" ? Math.max(0, open.count - open.answers.length) : 0;
        const said = `${item}: ${verdict === "answer" ? `answered "${text ?? ""}"` : verdict} by ${by}`;
        return `${said}. ${left > 0 ? `${left} more must approve.` : await whoGoesOn(cli, store, runId)}`;
      }
      case "message": {
        const state = await loadRun(store, act.runId);
        const mask = await openMasks(cli).of(state.project, state.pipeline.secrets ?? []);
        const { agent } = await sendMessage({ ...asking, mask }, act);
        return `Said to ${act.step} (${agent}). ${await whoGoesOn(cli, store, act.runId)}`;
      }
      case "cancel": {
        const state = await requestCancel(asking, act.runId);
        if (state.status === "finished") return `Run ${act.runId} was over already.`;
        const driver = await driverOf(store, act.runId, cli.clock.now());
        return driver
          ? "Cancel requested."
          : `Cancel requested. Nobody drives the run; this ends what is left of it: ${commandLine(cli, "cancel", act.runId)}`;
      }
      default:
        return act satisfies never;
    }
  } catch (error) {
    if (isTyped(error)) return `Not done: ${error.message}. ${error.hint}`;
    throw error;
  }
}

async function whoGoesOn(cli: Cli, store: Store, runId: string): Promise<string> {
  const driver = await driverOf(store, runId, cli.clock.now());
  return driver ? "The run goes on." : `Nobody drives the run now. Go on with: ${commandLine(cli, "resume", runId)}`;
}
