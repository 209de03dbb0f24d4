import { apply, type RunState } from "../../domain/index.ts";
import type { Feed } from "../../engine/index.ts";
import type { LivenessItem } from "../../fleet/index.ts";
import type { Cli } from "../cli.ts";
import { clockTime } from "../show/format.ts";
import { livenessText } from "../show/live-text.ts";
import { commandLine } from "../show/summary.ts";
import { eventLine } from "./event-line.ts";
import { howToAnswer, type Call } from "./how-to-answer.ts";

/** Shows a run while it is going on. */
export interface View {
  take(item: Feed | LivenessItem): void;
  /** A line that is no event: what the program itself has to say. */
  note(text: string): void;
  /** Attempts that run now. */
  readonly running: number;
  /** Leaves the terminal as it shall stay. */
  end(): Promise<void>;
}

/** `state` is the run as it stands; the view folds what comes into a copy of its own. */
export async function openView(cli: Cli, state: RunState): Promise<View> {
  if (cli.json) return jsonView(cli, state);
  if (!cli.out.terminal) return plainView(cli, state);
  const { openLiveView } = await import("./live.ts");
  return openLiveView(cli.out.terminal, { state, clock: cli.clock, colour: !cli.env["NO_COLOR"], call: callOf(cli) });
}

const callOf =
  (cli: Cli): Call =>
  (...words) =>
    commandLine(cli, ...words);

function take(state: RunState, item: Feed | LivenessItem): void {
  // After a reload of the journal an event may come twice.
  if (item.kind === "event" && item.version > state.version) apply(state, item);
}

/** Tells the first item of an attempt, and those of which something is different that matters. */
function changes(of: (item: LivenessItem) => string): (item: LivenessItem) => boolean {
  const last = new Map<string, string>();
  return (item) => {
    const now = of(item);
    const isNew = last.get(item.attempt) !== now;
    last.set(item.attempt, now);
    return isNew;
  };
}

/** NDJSON on stdout: events as the journal has them, progress as it comes. */
function jsonView({ out }: Cli, state: RunState): View {
  const isNew = changes((item) => `${item.state} ${item.risk?.score.toFixed(1)}`);
  return {
    take(item) {
      const isKnown = item.kind === "event" && item.version <= state.version;
      take(state, item);
      if (item.kind === "liveness") {
        const { kind: type, ...what } = item;
        if (isNew(item)) out.json({ version: 1, type, runId: state.runId, ...what });
      } else if (item.kind === "progress")
        out.json({
          version: 1,
          type: "progress",
          at: item.at,
          runId: state.runId,
          attempt: item.attempt,
          step: item.step,
          text: item.text,
        });
      else if (!isKnown) out.json({ version: 1, type: "event", at: item.at, runId: state.runId, seq: item.version, event: item.event });
    },
    note: (text) => out.note(text),
    get running() {
      return state.running.size;
    },
    end: async () => {},
  };
}

/** A line on stderr for every event that matters. */
function plainView(cli: Cli, state: RunState): View {
  const { out } = cli;
  const isOfNote = ({ state: s }: LivenessItem): boolean => s === "stuck" || s === "unknown" || s === "dead";
  const troubled = new Set<string>();
  const isNew = changes((item) => (isOfNote(item) ? item.state : ""));
  return {
    take(item) {
      if (item.kind === "liveness" && isNew(item) && (isOfNote(item) || troubled.has(item.attempt))) {
        troubled.add(item.attempt);
        out.note(`${clockTime(item.at)} ${item.step} is ${livenessText(item, item.at)}`);
      }
      if (item.kind === "progress" && item.isNotice) out.note(`${clockTime(item.at)} ${item.step}: ${item.text}`);
      if (item.kind !== "event" || item.version <= state.version) return;
      take(state, item);
      const line = eventLine(item.event, state);
      if (line) out.note(`${clockTime(item.at)} ${line}`);
      const asked = item.event.type === "InboxOpened" ? state.inbox.get(item.event.data.item) : undefined;
      if (asked) out.note(howToAnswer(state, asked, callOf(cli)));
    },
    note: (text) => out.note(text),
    get running() {
      return state.running.size;
    },
    end: async () => {},
  };
}
