import type { RunState, StepState } from "../../domain/index.ts";
import { duration } from "../show/format.ts";
import { symbolOf } from "../show/steps-text.ts";

/** One step as the live view shows it: plain strings, so that a row which did not change is not drawn again. */
export interface Row {
  id: string;
  symbol: string;
  status: string;
  attempt: string;
  agent: string;
  elapsed: string;
  text: string;
}

/** Rows that fit into `height`, what happens now before what is over or waits; and how many are left out. */
export function rowsOf(
  state: RunState,
  progress: ReadonlyMap<string, string>,
  now: number,
  height: number,
): { rows: Row[]; hidden: number } {
  const all = [...state.steps.values()];
  const order = new Map(all.map((s, i) => [s, i]));
  const shown = all
    .toSorted((a, b) => weight(a) - weight(b) || (order.get(a) ?? 0) - (order.get(b) ?? 0))
    .slice(0, Math.max(1, height))
    .toSorted((a, b) => (order.get(a) ?? 0) - (order.get(b) ?? 0));
  return { rows: shown.map((s) => row(s, progress, now)), hidden: all.length - shown.length };
}

function weight(s: StepState): number {
  if (s.status === "active") return 0;
  if (s.status === "failed") return 1;
  return s.status === "completed" ? 2 : 3;
}

function row(s: StepState, progress: ReadonlyMap<string, string>, now: number): Row {
  const a = s.attempts.at(-1);
  const isActive = s.status === "active" && a !== undefined;
  const from = s.attempts.find((x) => x.startedAt !== undefined)?.startedAt;
  const until = isActive ? now : s.endedAt;
  return {
    id: s.step.path,
    symbol: isActive && a.phase === "queued" ? "·" : symbolOf(s.status),
    status: isActive ? a.phase : s.status,
    attempt: a ? `#${a.n}` : "",
    agent: a?.agent ?? "",
    elapsed: from === undefined || until === undefined ? "" : duration(Math.floor(Math.max(0, until - from) / 100) * 100),
    text: isActive ? ((a.phase === "running" ? progress.get(s.step.path) : undefined) ?? "") : (s.because ?? ""),
  };
}
