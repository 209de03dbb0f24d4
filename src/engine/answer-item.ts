import {
  fold,
  reworkTargets,
  runOfItem,
  runStream,
  stillWaits,
  verdictOn,
  whyNoAnswer,
  type Clock,
  type EventData,
  type InboxItem,
  type Recorded,
  type RunEvent,
  type RunState,
} from "../domain/index.ts";
import { StoreError, type Append, type ProjectionWrite, type Store } from "../store/index.ts";
import { budgetAnswerOf, sharedRaise } from "./answer-budget.ts";
import { EngineError } from "./errors.ts";
import { rowOf } from "./run-row.ts";

/** Groups and questions are not done again: to find that out only when the run goes on would fail it. */
function whyNoRework(state: RunState, item: InboxItem, verdict: Answer["verdict"]): string | undefined {
  const s = state.steps.get(item.step);
  if (verdict !== "rework" || !s || reworkTargets(state, s).length > 0) return undefined;
  return "none of the steps it needs is one that an agent or a command does, so nothing can be done again; name some under `rework`, or reject it";
}

/** `: ann said approve`, where it was answered. */
function whoAnswered(events: readonly Recorded[], item: string): string {
  const said = events.findLast(({ event }) => event.type === "InboxAnswered" && event.data.item === item)?.event;
  if (said?.type !== "InboxAnswered") return "";
  const { by, verdict, text } = said.data;
  return `: ${by} said ${verdict === "answer" ? (text ?? "nothing") : verdict}`;
}

export interface Answer {
  item: string;
  by: string;
  verdict: EventData<"InboxAnswered">["verdict"];
  /** To a spent budget: `raise`, `raise 2.50` (USD), `cheaper` or `stop`. */
  text?: string | undefined;
}

/**
 * Records what a person says, from any process, and a raise of a budget with it. Whoever drives the run takes it in at once; when nobody does, it is
 * there when the run is resumed. Rejects with ITEM_UNKNOWN, ITEM_CLOSED or ANSWER_REFUSED. The state is the run's as it is then.
 */
export async function answerItem(store: Store, clock: Clock, answer: Answer, actor: string): Promise<{ runId: string; state: RunState }> {
  const runId = runOfItem(answer.item);
  const list = "`stepfall inbox` lists what waits.";
  if (runId === undefined) throw new EngineError("ITEM_UNKNOWN", `${answer.item} is no inbox item`, list);
  const stream = runStream(runId);
  for (;;) {
    const events = await store.read(stream);
    const state = fold(events);
    const item = state.inbox.get(answer.item);
    if (!item || !stillWaits(item)) {
      const was = events.some((e) => e.event.type === "InboxOpened" && e.event.data.item === answer.item);
      if (was)
        throw new EngineError(
          "ITEM_CLOSED",
          `${answer.item} does not wait any more${whoAnswered(events, answer.item)}`,
          `\`stepfall show ${runId}\` tells what it came to.`,
        );
      throw new EngineError("ITEM_UNKNOWN", `there is no inbox item ${answer.item}`, list);
    }
    const now = clock.now();
    const no = whyNoAnswer(item, answer, now) ?? whyNoRework(state, item, answer.verdict);
    if (no !== undefined) throw new EngineError("ANSWER_REFUSED", `${answer.item}: ${no}`, `\`stepfall inbox\` shows what it wants.`);
    const { by, verdict, text } = answer;
    const said: RunEvent = { type: "InboxAnswered", data: { item: answer.item, by, verdict, ...(text === undefined ? {} : { text }) } };
    const also = item.kind === "budget" ? budgetAnswerOf(state, item, answer) : [];
    const record = (event: RunEvent) => ({ event, at: now, actor });
    const appends: Append[] = [{ stream, expected: state.version, events: [said, ...also].map(record) }];
    const projections: ProjectionWrite[] = [];
    const raised = also.find((e) => e.type === "BudgetRaised");
    const others = raised ? await sharedRaise(store, runId, raised.data) : [];
    for (const other of others) appends.push({ stream: other.stream, expected: other.version, events: [record(other.event)] });
    for (const { event } of appends[0]?.events ?? []) fold([{ event, at: now, version: state.version + 1 }], state);
    // Once it is decided it waits for nobody any more, also while nobody drives the run.
    const isDecided = item.kind === "budget" || verdictOn(item, now, undefined).kind !== "open";
    if (isDecided) projections.push({ kind: "inbox", remove: [answer.item, ...others.flatMap((o) => o.item ?? [])] });
    if (isDecided) projections.push(rowOf(state));
    try {
      await store.commit({ appends, projections });
      return { runId, state };
    } catch (error) {
      // The run went on meanwhile: look again whether it still waits.
      if (!(error instanceof StoreError && error.code === "STORE_CONFLICT")) throw error;
    }
  }
}
