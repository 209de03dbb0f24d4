import { takeBudgetAnswer, whyNoBudgetAnswer } from "./budget-pauses.ts";
import type { EventData } from "./events.ts";
import type { InboxItem, RunState, StepState } from "./state.ts";

/** What waits for people, and what they say. Parts of the fold. */

export function takeItem(state: RunState, s: StepState, data: EventData<"InboxOpened">, at: number): void {
  const path = s.step.path;
  const item: InboxItem = { ...data, openedAt: at, answers: [] };
  if (data.kind === "budget") {
    const pause = state.pauses.get(data.budget ?? "");
    if (!pause || pause.item !== undefined) return;
    pause.item = data.item;
  } else if (data.attempt !== undefined) {
    const attempt = s.attempts.at(-1);
    if (s.status !== "active" || attempt?.id !== data.attempt || attempt?.phase !== "running") return;
  } else {
    if (s.status !== "ready" || (s.step.kind !== "approve" && s.step.kind !== "ask")) return;
    s.status = "active";
    s.item = data.item;
    state.ready.delete(path);
    state.asking.add(path);
  }
  s.items += 1;
  state.inbox.set(data.item, item);
}

/** Why an answer does not count; `undefined` when it does. `at`: epoch ms. */
export function whyNoAnswer(item: InboxItem, answer: Omit<EventData<"InboxAnswered">, "item">, at: number): string | undefined {
  if (item.expiresAt !== undefined && at >= item.expiresAt) return "it has expired";
  if (item.who.length > 0 && !item.who.includes(answer.by)) return `only ${item.who.join(", ")} may answer it, and you are ${answer.by}`;
  if (item.kind === "budget") return whyNoBudgetAnswer(item, answer);
  if (item.kind === "question") {
    if (answer.verdict !== "answer") return "it is a question: it wants an answer, not a verdict";
    if (item.choices.length > 0 && !item.choices.includes(answer.text ?? "")) return `the answer is one of ${item.choices.join(", ")}`;
    return undefined;
  }
  if (answer.verdict === "answer") return "it wants approve or reject";
  if (answer.verdict === "rework" && item.kind !== "approval") return "only an approval can ask for rework";
  return undefined;
}

export function takeAnswer(state: RunState, data: EventData<"InboxAnswered">, at: number): void {
  const item = state.inbox.get(data.item);
  if (!item || whyNoAnswer(item, data, at) !== undefined) return;
  // Whoever answers twice has changed their mind.
  item.answers = [...item.answers.filter((a) => a.by !== data.by), { by: data.by, verdict: data.verdict, text: data.text, at }];
  if (item.kind === "budget") takeBudgetAnswer(state, item, data.by, data.text ?? "");
}

/** What an attempt asked leave for, when the attempt is over. */
export function closeItemsOf(state: RunState, attempt: string): void {
  for (const item of state.inbox.values()) if (item.attempt === attempt) state.inbox.delete(item.item);
}

/**
 * Whether it waits for people. What was answered stays known until the run has gone on with it, or the attempt that asked is over; what expires
 * waits until that is recorded.
 */
export const stillWaits = (item: InboxItem): boolean => verdictOn(item, 0, undefined).kind === "open";

/** Counts how long nothing was under way but what people were asked. After each event. */
export function countWait(state: RunState, at: number): void {
  const since = state.waitsForPeopleSince;
  if (since === undefined && state.inbox.size === 0) return;
  const isBusy = state.queued.size + state.running.size + state.accepted.size + state.merged.size > 0;
  const waits = state.status === "running" && !isBusy && [...state.inbox.values()].some(stillWaits);
  if (waits === (since !== undefined)) return;
  if (waits) state.waitsForPeopleSince = at;
  else {
    // A clock that was set back has not given any time back.
    state.waitedForPeopleMs += Math.max(0, at - (since ?? at));
    delete state.waitsForPeopleSince;
  }
}

/** How long a run did nothing but wait for people, until `now` or until it was over. */
export const waitedForPeople = (run: { waitedForPeopleMs: number; waitsForPeopleSince?: number | undefined }, now: number): number =>
  run.waitedForPeopleMs + (run.waitsForPeopleSince === undefined ? 0 : Math.max(0, now - run.waitsForPeopleSince));

export type Verdict =
  | { kind: "open" }
  | { kind: "agreed" }
  | { kind: "refused"; because: string }
  | { kind: "rework"; because: string; by: string }
  | { kind: "answered"; answer: string };

/** What an item has come to. `now`: epoch ms. `onExpiry`: what silence means. */
export function verdictOn(item: InboxItem, now: number, onExpiry: { agreed: boolean } | { answer: string } | undefined): Verdict {
  const said = (text: string | undefined): string => (text ? `: ${text}` : "");
  for (const a of item.answers) {
    if (a.verdict === "reject") return { kind: "refused", because: `${a.by} refused${said(a.text)}` };
    if (a.verdict === "rework") return { kind: "rework", by: a.by, because: a.text ?? "do it again" };
    if (a.verdict === "answer") return { kind: "answered", answer: a.text ?? "" };
  }
  if (item.answers.length >= item.count) return { kind: "agreed" };
  if (item.expiresAt === undefined || now < item.expiresAt) return { kind: "open" };
  if (onExpiry === undefined) return { kind: "refused", because: "nobody answered in time" };
  if ("answer" in onExpiry) return { kind: "answered", answer: onExpiry.answer };
  return onExpiry.agreed ? { kind: "agreed" } : { kind: "refused", because: "nobody answered in time" };
}
