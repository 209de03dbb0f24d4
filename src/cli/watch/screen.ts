import { formatUsd } from "../../domain/index.ts";
import { shownStatus } from "../../setup/find-run.ts";
import { describeHolder } from "../../setup/identity.ts";
import { clockTime, dateTime, duration, plural, visible } from "../show/format.ts";
import { itemDetails, stepDetails } from "./details.ts";
import { entriesOf, type Entry, type Scene } from "./entries.ts";
import { selectedOf, type Ui } from "./keys.ts";
import type { SeenRun, ShownLine } from "./lookout.ts";

/** One line of the view: plain values, so that a line which did not change is not drawn again. */
export interface ScreenLine {
  key: string;
  text: string;
  tint?: string;
  isBold?: boolean;
  isSelected?: boolean;
}

const tints: Readonly<Record<string, string>> = {
  completed: "green",
  succeeded: "green",
  failed: "red",
  stuck: "red",
  dead: "red",
  unknown: "yellow",
  rejected: "yellow",
  waits: "yellow",
  waiting: "yellow",
  budget: "yellow",
  stopped: "yellow",
  cancelled: "yellow",
  skipped: "gray",
  running: "cyan",
  merging: "cyan",
  accepted: "cyan",
};

/** Of what waits; more are counted. */
const MOST_ITEMS = 5;
const LAST_LINES = 4;

export interface ScreenSize {
  height: number;
  width: number;
  /** Whether keys do anything. */
  canAct: boolean;
  /** How a command is typed, e.g. `stepfall resume x`. */
  call: (...words: string[]) => string;
}

/** The view, line by line; never more than fit into the window. Pure. */
export function screenOf(scene: Scene, ui: Ui, { height, width, canAct, call }: ScreenSize): ScreenLine[] {
  const entries = entriesOf(scene, ui.run, ui.unfolded);
  const selected = canAct ? selectedOf(ui, entries) : -1;
  const run = scene.runs.find((r) => r.row.runId === ui.run);
  const head = headOf(scene, run, { width, call });
  const foot = footOf(ui, canAct);
  const room = Math.max(4, height - 1 - head.length - foot.length);
  const items = entries.filter((e) => e.kind === "item");
  const waiting = itemLines(items, selected, Math.max(1, Math.min(MOST_ITEMS, Math.floor(room / 3) - 1)), scene.now);
  const rows = entries.slice(items.length);
  const left = room - waiting.length;
  const lower = paneOf(
    scene,
    run,
    entries[selected],
    ui,
    ui.pane === "none" ? Math.min(LAST_LINES + 1, Math.floor(left / 3)) : Math.floor(left / 2),
  );
  const most = Math.max(1, left - lower.length);
  const lines = [...head, ...waiting, ...windowOf(rows, selected - items.length, most, scene.now), ...lower, ...foot];
  return lines.slice(0, Math.max(1, height - 1)).map((line) => ({ ...line, text: visible(line.text) }));
}

function headOf(scene: Scene, run: SeenRun | undefined, { width, call }: Pick<ScreenSize, "width" | "call">): ScreenLine[] {
  const waits = scene.items.length === 0 ? "nothing waits for people" : `${scene.items.length} waiting for people`;
  if (!run) {
    const going = scene.runs.filter((r) => r.row.endedAt === undefined && !r.isUndriven).length;
    const text = scene.runs.length === 0 ? "No runs yet." : `${plural(scene.runs.length, "run")}, ${going} under way, ${waits}`;
    return [{ key: "head", text, isBold: true }];
  }
  const { state, row } = run;
  const steps = [...state.steps.values()];
  const done = steps.filter((s) => s.status === "completed").length;
  const head = `${row.pipeline} ${wordFor(run)}: ${done}/${steps.length} steps, ${state.running.size} running, ${state.queued.size} queued, ${formatUsd(spentIn(run))}`;
  const who = run.driver === undefined ? "" : `, driven by ${describeHolder(run.driver)}`;
  const lines: ScreenLine[] = [{ key: "head", text: `${head}${who}, run ${row.runId}`, isBold: true }];
  if (run.isUndriven)
    lines.push(
      ...undriven(call("resume", row.runId), width).map((text, i): ScreenLine => ({ key: `undriven ${i}`, text, tint: "yellow" })),
    );
  return lines;
}

/** A command that is to be copied is never cut: it is broken where the window ends. */
function undriven(command: string, width: number): string[] {
  const said = "Nobody drives this run now. Go on with:";
  const most = Math.max(20, width - 2);
  if (said.length + 1 + command.length <= most) return [`${said} ${command}`];
  return [said, ...(command.match(new RegExp(`.{1,${most}}`, "gu")) ?? [])];
}

const wordFor = ({ row, state, isUndriven }: SeenRun): string =>
  state.outcome ??
  (row.status === "running" && isUndriven
    ? "stopped"
    : row.status === "waiting"
      ? "waits for people"
      : row.status === "budget"
        ? "stopped by its budget"
        : row.status);

/** Of all calls that have ended; what judges and picks cost is told by their attempts, too. */
const spentIn = ({ state, spent }: Pick<SeenRun, "state" | "spent">): number =>
  Math.max(
    spent,
    [...state.steps.values()].flatMap((s) => s.attempts).reduce((sum, a) => sum + (a.usage?.microUsd ?? 0), 0),
  );

function itemLines(items: readonly Entry[], selected: number, most: number, now: number): ScreenLine[] {
  if (items.length === 0) return [];
  const first = Math.max(0, Math.min(selected, items.length - 1) - most + 1);
  const shown = items.slice(first, first + most).flatMap((entry, i): ScreenLine[] => {
    if (entry.kind !== "item") return [];
    const { item, kind, title, openedAt } = entry.item;
    const text = `? ${kind.padEnd(10)} ${title.split("\n")[0]}  (${item}, ${duration(Math.max(0, Math.floor((now - openedAt) / 1000) * 1000))})`;
    return [{ key: entry.key, text, tint: "yellow", isSelected: first + i === selected }];
  });
  const hidden = items.length - shown.length;
  return [...shown, ...(hidden > 0 ? [{ key: "hidden items", text: `  ... and ${hidden} more that wait` }] : []), { key: "gap", text: "" }];
}

/** The rows around the selected one. */
function windowOf(rows: readonly Entry[], selected: number, most: number, now: number): ScreenLine[] {
  const room = rows.length > most ? most - 1 : most;
  const from = Math.max(0, Math.min(selected - Math.floor(room / 2), rows.length - room));
  const shown = rows.slice(from, from + room);
  const hidden = rows.length - shown.length;
  const width = (of: (e: Entry) => string): number => Math.max(0, ...shown.map((e) => of(e).length));
  const [ids, statuses, agents] = [width(nameOf), Math.max(9, width(statusOf)), width(agentOf)];
  const lines = shown.map((entry, i): ScreenLine => {
    const status = statusOf(entry);
    const text =
      entry.kind === "step"
        ? [
            `${"  ".repeat(entry.row.depth)}${entry.row.symbol} ${nameOf(entry)}`.padEnd(ids + 2),
            status.padEnd(statuses),
            entry.row.attempt.padEnd(3),
            agentOf(entry).padEnd(agents),
            entry.row.elapsed.padStart(11),
            entry.row.text,
          ].join("  ")
        : entry.kind === "run"
          ? [nameOf(entry).padEnd(ids), status.padEnd(statuses), runText(entry.run, now)].join("  ")
          : "";
    return { key: entry.key, text, isSelected: from + i === selected, ...(tints[status] === undefined ? {} : { tint: tints[status] }) };
  });
  return hidden > 0 ? [...lines, { key: "hidden", text: `  ... and ${hidden} more` }] : lines;
}

const nameOf = (entry: Entry): string =>
  entry.kind === "step" ? entry.row.id : entry.kind === "run" ? `${entry.run.row.runId} ${entry.run.row.pipeline}` : "";
const agentOf = (entry: Entry): string => (entry.kind === "step" ? entry.row.agent : "");
const statusOf = (entry: Entry): string =>
  entry.kind === "step"
    ? entry.row.status
    : entry.kind === "run"
      ? entry.run.isUndriven
        ? shownStatus(entry.run.row, undefined)
        : entry.run.row.status
      : "";

function runText({ row, state, spent }: SeenRun, now: number): string {
  const time = `${row.stepsDone}/${row.stepsTotal} steps, ${dateTime(row.startedAt)}, ${duration(Math.max(0, Math.floor(((row.endedAt ?? now) - row.startedAt) / 1000) * 1000))}`;
  if (row.endedAt !== undefined) return time;
  const failed = [...state.steps.values()].filter((s) => s.status === "failed").length;
  return `${time}, ${formatUsd(spentIn({ state, spent }))}${failed > 0 ? `, ${failed} failed` : ""}${state.running.size > 0 ? `, ${[...state.running].join(", ")} running` : ""}`;
}

function paneOf(scene: Scene, run: SeenRun | undefined, entry: Entry | undefined, ui: Ui, most: number): ScreenLine[] {
  if (most < 2) return [];
  const lines = (texts: readonly string[], title: string): ScreenLine[] =>
    texts.length === 0 ? [] : [{ key: "pane", text: title, tint: "gray" }, ...texts.map((text, i) => ({ key: `pane ${i}`, text }))];
  const step = entry?.kind === "step" ? entry.row.id : entry?.kind === "item" ? entry.item.step : undefined;
  const of =
    entry?.kind === "run" ? entry.run : (run ?? scene.runs.find((r) => entry?.kind === "item" && r.row.runId === entry.item.runId));
  if (ui.pane === "details" && entry && entry.kind !== "run") {
    const s = entry.kind === "step" ? of?.state.steps.get(entry.row.id) : undefined;
    const texts = entry.kind === "item" ? itemDetails(entry.item, scene.now) : s ? stepDetails(s, scene.now) : [];
    return lines(texts.slice(0, most - 1), `-- ${step}`);
  }
  if (ui.pane === "logs") {
    const own = (of?.lines ?? []).filter((line) => step === undefined || line.step === step || line.step.startsWith(`${step}/`));
    const texts = own.slice(1 - most).map(lineText);
    return lines(texts.length > 0 ? texts : ["Nothing was printed yet."], `-- log of ${step ?? of?.row.runId ?? "nothing"}`);
  }
  const last = run ? run.lines : scene.runs.flatMap((r) => r.lines).toSorted((a, b) => a.at - b.at);
  return lines(last.slice(1 - most).map(lineText), "--");
}

const lineText = ({ at, step, n, text }: ShownLine): string => `${clockTime(at)} ${step}#${n} | ${text}`;

function footOf(ui: Ui, canAct: boolean): ScreenLine[] {
  const note: ScreenLine[] = ui.note === "" ? [] : [{ key: "note", text: ui.note, tint: "yellow" }];
  if (!canAct) return note;
  if (ui.asking) return [...note, { key: "asking", text: askingText(ui.asking), isBold: true }];
  const back = ui.isOnly || ui.run === undefined ? "" : "  Esc all runs";
  const help = `↑↓ select  Enter ${ui.run === undefined ? "open" : "details"}  l log  a approve  r reject  w rework  m say  c cancel${back}  q leave`;
  return [...note, { key: "help", text: help, tint: "gray" }];
}

function askingText(asking: NonNullable<Ui["asking"]>): string {
  switch (asking.kind) {
    case "cancel":
      return `Cancel run ${asking.runId} for good? y or n`;
    case "reject":
      return `Reject, because (Enter: no reason): ${asking.typed}_`;
    case "rework":
      return `Have it done again, told: ${asking.typed}_`;
    case "answer":
      return `Answer${asking.choices.length > 0 ? " (a number, or the words)" : ""}: ${asking.typed}_`;
    case "message":
      return `Say to the agent of ${asking.step}: ${asking.typed}_`;
    default:
      return asking satisfies never;
  }
}
