import {
  budgetName,
  fold,
  parseBudgetAnswer,
  parseBudgetId,
  raiseFor,
  runStream,
  type EventData,
  type InboxItem,
  type RunEvent,
  type RunState,
} from "../domain/index.ts";
import type { Store } from "../store/index.ts";

/** What is recorded with an answer to a spent budget: the raise, or the end of the run. `cheaper`, and the stop of a step, follow from the answer. */
export function budgetAnswerOf(state: RunState, item: InboxItem, { by, text }: { by: string; text?: string | undefined }): RunEvent[] {
  const pause = [...state.pauses.values()].find((p) => p.item === item.item);
  const said = parseBudgetAnswer(text ?? "");
  if (!pause || !said) return [];
  const isOfStep = pause.scope === "step" || pause.scope === "attempt";
  switch (said.kind) {
    case "raise":
      return [{ type: "BudgetRaised", data: raiseFor(pause, said.by, by) }];
    case "stop":
      return isOfStep ? [] : [{ type: "CancelRequested", data: { reason: `${budgetName(pause.id)} is spent, and ${by} said stop` } }];
    case "cheaper":
      return [];
    default:
      return said satisfies never;
  }
}

/** A raise of what many runs share, for the other streams that must know of it. */
export interface SharedRaise {
  stream: string;
  version: number;
  event: RunEvent;
  /** What waited for it there. */
  item?: string | undefined;
}

/** The stream of the fleet or of the project, where further attempts look; and the runs that wait for the same. */
export async function sharedRaise(store: Store, runId: string, data: EventData<"BudgetRaised">): Promise<SharedRaise[]> {
  const stream = parseBudgetId(data.id ?? "")?.stream;
  if (stream === undefined || data.id === undefined) return [];
  const version = (await store.read(stream)).at(-1)?.version ?? 0;
  const raises: SharedRaise[] = [{ stream, version, event: { type: "BudgetRaised", data } }];
  const waiting = (await store.listInbox()).filter((row) => row.kind === "budget" && row.runId !== runId);
  for (const other of new Set(waiting.map((row) => row.runId))) {
    const state = fold(await store.read(runStream(other)));
    const pause = state.pauses.get(data.id);
    if (pause && state.status === "running")
      raises.push({ stream: runStream(other), version: state.version, event: { type: "BudgetRaised", data }, item: pause.item });
  }
  return raises;
}
