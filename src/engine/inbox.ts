import {
  inboxItemId,
  reworkTargets,
  runOfItem,
  runStream,
  verdictOn,
  whyNoAnswer,
  fold,
  type Clock,
  type EventData,
  type InboxItem,
  type RunEvent,
  type RunState,
} from "../domain/index.ts";
import { StoreError, type InboxRow, type ProjectionWrite, type Store } from "../store/index.ts";
import { EngineError } from "./errors.ts";

/** The rows that stand for what waits for people in a run. */
function inboxRows(state: RunState): InboxRow[] {
  const rows = [...state.inbox.values()].map((item) => rowOfItem(state, item));
  if (state.halted && state.status === "running")
    rows.push({
      item: inboxItemId(state.runId, "budget", 1),
      runId: state.runId,
      step: "",
      kind: "budget",
      title: "the run's budget is spent",
      choices: [],
      who: [],
      openedAt: state.startedAt,
    });
  return rows;
}

function rowOfItem(state: RunState, item: InboxItem): InboxRow {
  const { step, kind, title, detail, choices, who, openedAt, expiresAt, attempt } = item;
  return { item: item.item, runId: state.runId, step, kind, title, detail, choices, who, openedAt, expiresAt, attempt };
}

/** Brings the inbox's rows from what they were to what the run says now. `shown` is changed. */
export function inboxChange(state: RunState, shown: Set<string>): [ProjectionWrite] | undefined {
  if (shown.size === 0 && state.inbox.size === 0 && !state.halted) return undefined;
  const rows = state.status === "running" ? inboxRows(state) : [];
  const now = new Set(rows.map((r) => r.item));
  const put = rows.filter((r) => !shown.has(r.item));
  const remove = [...shown].filter((item) => !now.has(item));
  shown.clear();
  for (const item of now) shown.add(item);
  return put.length + remove.length > 0 ? [{ kind: "inbox", put, remove }] : undefined;
}

/** Groups and questions are not done again: to find that out only when the run goes on would fail it. */
function whyNoRework(state: RunState, item: InboxItem, verdict: Answer["verdict"]): string | undefined {
  const s = state.steps.get(item.step);
  if (verdict !== "rework" || !s || reworkTargets(state, s).length > 0) return undefined;
  return "none of the steps it needs is one that an agent or a command does, so nothing can be done again; name some under `rework`, or reject it";
}

export interface Answer {
  item: string;
  by: string;
  verdict: EventData<"InboxAnswered">["verdict"];
  text?: string | undefined;
}

/**
 * Records what a person says, from any process. Whoever drives the run takes it in at once; when nobody does, it is there when the run is resumed.
 * Rejects with ITEM_UNKNOWN, ITEM_CLOSED or ANSWER_REFUSED.
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
    if (!item) {
      const was = events.some((e) => e.event.type === "InboxOpened" && e.event.data.item === answer.item);
      if (was)
        throw new EngineError("ITEM_CLOSED", `${answer.item} does not wait any more`, `\`stepfall show ${runId}\` tells what it came to.`);
      throw new EngineError("ITEM_UNKNOWN", `there is no inbox item ${answer.item}`, list);
    }
    const now = clock.now();
    const no = whyNoAnswer(item, answer, now) ?? whyNoRework(state, item, answer.verdict);
    if (no !== undefined) throw new EngineError("ANSWER_REFUSED", `${answer.item}: ${no}`, `\`stepfall inbox\` shows what it wants.`);
    const { by, verdict, text } = answer;
    const event: RunEvent = {
      type: "InboxAnswered",
      data: { item: answer.item, by, verdict, ...(text === undefined ? {} : { text }) },
    };
    const expected = state.version;
    fold([{ event, at: now, version: expected + 1 }], state);
    // Once it is decided it waits for nobody any more, also while nobody drives the run.
    const isDecided = verdictOn(item, now, undefined).kind !== "open";
    try {
      await store.commit({
        appends: [{ stream, expected, events: [{ event, at: now, actor }] }],
        ...(isDecided ? { projections: [{ kind: "inbox", remove: [answer.item] }] } : {}),
      });
      return { runId, state };
    } catch (error) {
      // The run went on meanwhile: look again whether it still waits.
      if (!(error instanceof StoreError && error.code === "STORE_CONFLICT")) throw error;
    }
  }
}
