import { Box, render, Text } from "ink";
import { createElement, memo, type ReactElement } from "react";
import { apply, formatUsd, type Clock, type RunState } from "../../domain/index.ts";
import type { Feed } from "../../engine/index.ts";
import type { LivenessItem } from "../../fleet/index.ts";
import { visible } from "../show/format.ts";
import { waitingLines, type Call } from "./how-to-answer.ts";
import { rowsOf, type Row } from "./rows.ts";
import type { View } from "./view.ts";

const FRAMES_A_SECOND = 10;
/** Head, queue, notes and the cursor's own line. */
const LINES_BESIDE_ROWS = 6;

const colours: Readonly<Record<string, string>> = {
  completed: "green",
  failed: "red",
  skipped: "gray",
  cancelled: "yellow",
  running: "cyan",
  stuck: "red",
  dead: "red",
  unknown: "yellow",
  rejected: "yellow",
  merging: "cyan",
  accepted: "cyan",
};

interface Widths {
  id: number;
  status: number;
  agent: number;
}

const StepRow = memo(function StepRow(props: Row & { widths: Widths; colour: boolean }): ReactElement {
  const { widths, colour } = props;
  const tint = colour ? colours[props.status] : undefined;
  const fields = [
    props.id.padEnd(widths.id),
    props.status.padEnd(widths.status),
    props.attempt.padEnd(3),
    props.agent.padEnd(widths.agent),
    props.elapsed.padStart(11),
  ].join("  ");
  return createElement(
    Text,
    { wrap: "truncate-end" },
    createElement(Text, tint ? { color: tint } : {}, `${props.symbol} `),
    visible(`${fields}  ${props.text}`),
  );
});

interface Frame {
  state: RunState;
  progress: ReadonlyMap<string, string>;
  live: ReadonlyMap<string, LivenessItem>;
  notes: readonly string[];
  call: Call;
  now: number;
  height: number;
  colour: boolean;
}

function RunView({ state, progress, live, notes: said, call, now, height, colour }: Frame): ReactElement {
  // Whoever looks at the table must see that it is they who are waited for.
  const notes = [...said, ...waitingLines(state, call)].map(visible);
  const { rows, hidden } = rowsOf(state, { progress, live }, now, height - LINES_BESIDE_ROWS - notes.length);
  const most = (values: string[]): number => Math.max(0, ...values.map((v) => v.length));
  const widths: Widths = {
    id: most(rows.map((r) => r.id)),
    status: Math.max(9, most(rows.map((r) => r.status))),
    agent: most(rows.map((r) => r.agent)),
  };
  const steps = [...state.steps.values()];
  const spent = steps.flatMap((s) => s.attempts).reduce((sum, a) => sum + (a.usage?.microUsd ?? 0), 0);
  const done = steps.filter((s) => s.status === "completed").length;
  const ended = state.outcome ?? (state.halted ? "stopped by its budget" : "running");
  const head = `${state.pipeline.name} ${ended}: ${done}/${steps.length} steps, ${state.running.size} running, ${state.queued.size} queued, ${formatUsd(spent)} in attempts that are over`;
  return createElement(
    Box,
    { flexDirection: "column" },
    createElement(Text, { bold: colour, wrap: "truncate-end" }, head),
    ...rows.map((r) => createElement(StepRow, { key: r.id, ...r, widths, colour })),
    ...(hidden > 0 ? [createElement(Text, { key: "\0hidden", wrap: "truncate-end" }, `  ... and ${hidden} more`)] : []),
    // A command that is to be copied is never cut.
    ...notes.map((text, i) => createElement(Text, { key: `\0note${i}`, wrap: "hard" }, text)),
  );
}

/**
 * The table of steps, redrawn in place on the terminal. It reads no keys, so Ctrl-C stays a signal; it uses no alternate screen, so the last
 * state remains in the scrollback.
 */
export function openLiveView(terminal: NodeJS.WriteStream, options: { state: RunState; clock: Clock; colour: boolean; call: Call }): View {
  const { state, clock, colour, call } = options;
  const progress = new Map<string, string>();
  const live = new Map<string, LivenessItem>();
  const notes: string[] = [];
  const frame = (): ReactElement =>
    createElement(RunView, { state, progress, live, notes: [...notes], call, now: clock.now(), height: terminal.rows ?? 24, colour });
  const ink = render(frame(), {
    // Whether this is a terminal was decided by whoever opened the view; ink would also ask the environment.
    interactive: true,
    stdout: terminal,
    stderr: terminal,
    exitOnCtrlC: false,
    patchConsole: false,
    maxFps: FRAMES_A_SECOND,
    incrementalRendering: true,
  });
  let isDue = false;
  const timer = setInterval(() => {
    // Elapsed times go on while something runs.
    if (isDue || state.running.size > 0) ink.rerender(frame());
    isDue = false;
  }, 1000 / FRAMES_A_SECOND);
  return {
    take(item: Feed | LivenessItem) {
      if (item.kind === "progress" && item.isNotice) notes.push(`${item.step}: ${item.text}`);
      else if (item.kind === "progress") progress.set(item.step, item.text);
      else if (item.kind === "liveness") live.set(item.step, item);
      else if (item.version > state.version) apply(state, item);
      isDue = true;
    },
    note(text) {
      notes.push(...text.split("\n"));
      isDue = true;
    },
    get running() {
      return state.running.size;
    },
    async end() {
      clearInterval(timer);
      ink.rerender(frame());
      ink.unmount();
      await ink.waitUntilExit();
    },
  };
}
