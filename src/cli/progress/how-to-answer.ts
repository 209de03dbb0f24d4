import { stillWaits, type InboxItem, type RunState } from "../../domain/index.ts";
import { firstLine, indent } from "../show/format.ts";
import { waitingText } from "../show/waiting-text.ts";

export type Call = (...words: string[]) => string;

/** Of a run's id so much names its items while it goes on, and leaves the command on one line of a terminal. */
const ENOUGH = 6;
/** More are only counted. */
const MOST_ITEMS = 3;

/** What is asked, and what is to be typed in another terminal to answer it: lines that can be copied. */
export function howToAnswer({ runId }: Pick<RunState, "runId">, item: InboxItem, call: Call): string {
  const short = `${runId.slice(-ENOUGH)}${item.item.slice(item.item.indexOf("/"))}`;
  return waitingText({ ...item, item: short, runId, title: firstLine(item.title, 140) }, call);
}

/** All that a run waits for, for whoever looks at it. */
export function waitingLines(state: RunState, call: Call): string[] {
  const items = [...state.inbox.values()].filter(stillWaits);
  if (items.length === 0) return [];
  const shown = items.slice(0, MOST_ITEMS).flatMap((item) => howToAnswer(state, { ...item, detail: undefined }, call).split("\n"));
  const more = items.length - MOST_ITEMS;
  return ["Waits for you. In another terminal:", ...shown, ...(more > 0 ? [indent(`... and ${more} more: ${call("inbox")}`, "  ")] : [])];
}
