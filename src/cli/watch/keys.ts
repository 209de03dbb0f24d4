import type { InboxRow } from "../../store/index.ts";
import { itemAt, type Entry, type Scene } from "./entries.ts";

/** A key as Node's readline tells it. */
export interface Key {
  name?: string | undefined;
  ctrl?: boolean | undefined;
  meta?: boolean | undefined;
  /** What it writes. */
  sequence?: string | undefined;
}

/** What is being typed, and what for. */
export type Asking =
  | { kind: "reject" | "rework"; item: string; typed: string }
  | { kind: "answer"; item: string; choices: readonly string[]; typed: string }
  | { kind: "message"; runId: string; step: string; typed: string }
  | { kind: "cancel"; runId: string };

/** What a person has done to the view. */
export interface Ui {
  /** The run that is shown; absent: the list of runs. */
  run: string | undefined;
  /** There is only this run: there is no list to go back to. */
  isOnly: boolean;
  selected: string | undefined;
  /** Where that was, for when it is gone. */
  at: number;
  unfolded: ReadonlySet<string>;
  pane: "none" | "details" | "logs";
  asking: Asking | undefined;
  /** What came of the last thing that was done. */
  note: string;
}

export type Act =
  | { kind: "leave"; isInterrupt: boolean }
  | { kind: "answer"; item: string; verdict: "approve" | "reject" | "rework" | "answer"; text?: string }
  | { kind: "message"; runId: string; step: string; text: string }
  | { kind: "cancel"; runId: string };

export interface Pressed {
  ui: Ui;
  act?: Act;
}

export const firstUi = (only: string | undefined): Ui => ({
  run: only,
  isOnly: only !== undefined,
  selected: undefined,
  at: 0,
  unfolded: new Set(),
  pane: "none",
  asking: undefined,
  note: "",
});

/** The entry that is selected: the same as before, or what is where it was. */
export function selectedOf(ui: Pick<Ui, "selected" | "at">, entries: readonly Entry[]): number {
  const same = entries.findIndex((e) => e.key === ui.selected);
  return same >= 0 ? same : Math.max(0, Math.min(ui.at, entries.length - 1));
}

/** Keys that are about what is selected. A run that is shown is cancelled whatever is. */
const selective = ["return", "enter", "a", "r", "w", "m"];

/** The first entry is selected by being there first: what comes in above it later does not take its place. */
export const settled = (ui: Ui, entries: readonly Entry[]): Ui =>
  ui.selected === undefined && entries.length > 0 ? { ...ui, selected: entries[selectedOf(ui, entries)]?.key } : ui;

/** What a key does. Pure. */
export function press(before: Ui, key: Key, entries: readonly Entry[], scene: Scene): Pressed {
  if (key.ctrl && (key.name === "c" || key.name === "d")) return { ui: before, act: { kind: "leave", isInterrupt: key.name === "c" } };
  const at = selectedOf(before, entries);
  const ui: Ui = { ...before, at, selected: entries[at]?.key, note: "" };
  if (ui.asking) return typed(ui, ui.asking, key);
  const entry = entries[at];
  // Something else stands where it stood: nobody has chosen that.
  const isGone = before.selected !== undefined && entry?.key !== before.selected;
  if (isGone && [...selective, ...(ui.run === undefined ? ["c"] : [])].includes(key.name ?? ""))
    return { ui: { ...ui, note: "What was selected is gone. Look again." } };
  const moved = (to: number): Pressed => {
    const next = Math.max(0, Math.min(to, entries.length - 1));
    return { ui: { ...ui, at: next, selected: entries[next]?.key } };
  };
  switch (key.name) {
    case "up":
    case "k":
      return moved(at - 1);
    case "down":
    case "j":
      return moved(at + 1);
    case "return":
    case "enter":
      return entered(ui, entry);
    case "escape":
    case "left":
      if (ui.pane !== "none") return { ui: { ...ui, pane: "none" } };
      return ui.isOnly || ui.run === undefined ? { ui } : { ui: { ...firstUi(undefined), selected: `run ${ui.run}` } };
    case "l":
      return { ui: { ...ui, pane: ui.pane === "logs" ? "none" : "logs" } };
    case "a":
    case "r":
    case "w":
      return judged(ui, key.name, itemAt(entry, scene));
    case "m":
      if (entry?.kind !== "step") return { ui: { ...ui, note: "Select a step to say something to its agent." } };
      return { ui: { ...ui, asking: { kind: "message", runId: entry.runId, step: entry.row.id, typed: "" } } };
    case "c": {
      const runId = ui.run ?? (entry?.kind === "run" ? entry.run.row.runId : entry?.kind === "item" ? entry.item.runId : undefined);
      return runId === undefined ? { ui } : { ui: { ...ui, asking: { kind: "cancel", runId } } };
    }
    case "q":
      return { ui, act: { kind: "leave", isInterrupt: false } };
    default:
      return { ui };
  }
}

function entered(ui: Ui, entry: Entry | undefined): Pressed {
  if (entry?.kind === "run") return { ui: { ...ui, run: entry.run.row.runId, selected: undefined, at: 0, pane: "none" } };
  if (entry?.kind === "step" && entry.row.isGroup) {
    const unfolded = new Set(ui.unfolded);
    if (!unfolded.delete(entry.row.id)) unfolded.add(entry.row.id);
    return { ui: { ...ui, unfolded } };
  }
  if (entry?.kind === "item" && (entry.item.kind === "question" || entry.item.kind === "budget")) {
    const { item, choices } = entry.item;
    return { ui: { ...ui, pane: "details", asking: { kind: "answer", item, choices, typed: "" } } };
  }
  return { ui: { ...ui, pane: ui.pane === "details" ? "none" : "details" } };
}

/** Approve, reject, rework. */
function judged(ui: Ui, how: "a" | "r" | "w", item: InboxRow | undefined): Pressed {
  if (!item) return { ui: { ...ui, note: "Nothing waits there. Select what waits, at the top." } };
  if (item.kind !== "approval" && item.kind !== "permission")
    return { ui: { ...ui, note: `A ${item.kind} wants an answer: select it at the top and press Enter.` } };
  if (how === "a") return { ui, act: { kind: "answer", item: item.item, verdict: "approve" } };
  if (how === "w" && item.kind === "permission") return { ui: { ...ui, note: "Leave that an agent asks for is given or refused." } };
  return { ui: { ...ui, asking: { kind: how === "r" ? "reject" : "rework", item: item.item, typed: "" } } };
}

function typed(ui: Ui, asking: Asking, key: Key): Pressed {
  const quiet: Ui = { ...ui, asking: undefined };
  if (key.name === "escape") return { ui: quiet };
  if (asking.kind === "cancel") {
    if (key.name === "y") return { ui: quiet, act: { kind: "cancel", runId: asking.runId } };
    return { ui: { ...quiet, note: "Not cancelled." } };
  }
  if (key.name === "return" || key.name === "enter") return submitted(ui, asking, quiet);
  const text =
    key.name === "backspace"
      ? withoutLast(asking.typed)
      : key.ctrl || key.meta
        ? asking.typed
        : asking.typed + printable(key.sequence ?? "");
  return { ui: { ...ui, asking: { ...asking, typed: text } } };
}

function submitted(ui: Ui, asking: Exclude<Asking, { kind: "cancel" }>, quiet: Ui): Pressed {
  const text = asking.typed.trim();
  // Only a refusal needs no words.
  if (text === "" && asking.kind !== "reject") return { ui: { ...ui, note: "Write something, or press Esc." } };
  switch (asking.kind) {
    case "message":
      return { ui: quiet, act: { kind: "message", runId: asking.runId, step: asking.step, text } };
    case "answer":
      return { ui: quiet, act: { kind: "answer", item: asking.item, verdict: "answer", text: chosen(asking.choices, text) } };
    case "reject":
    case "rework":
      return { ui: quiet, act: { kind: "answer", item: asking.item, verdict: asking.kind, ...(text === "" ? {} : { text }) } };
    default:
      return asking satisfies never;
  }
}

/** A choice may be named by its place in the list. */
function chosen(choices: readonly string[], text: string): string {
  if (choices.includes(text) || !/^\d+$/.test(text)) return text;
  return choices[Number(text) - 1] ?? text;
}

/** Without what moves the cursor. */
const printable = (text: string): string => (text.startsWith("\u001b") ? "" : text.replaceAll(/\p{Cc}/gu, ""));

const withoutLast = (text: string): string => text.slice(0, Array.from(new Intl.Segmenter().segment(text)).at(-1)?.index ?? 0);
