import type { RunState, StepState } from "../../domain/index.ts";
import type { LivenessItem } from "../../fleet/index.ts";
import { duration } from "../show/format.ts";
import { riskWord } from "../show/live-text.ts";
import { waitOf } from "../../control/index.ts";
import { quotaText } from "../show/quota-text.ts";
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

/** What came of the attempts that run, by step. */
export interface SeenAttempts {
  progress: ReadonlyMap<string, string>;
  live: ReadonlyMap<string, LivenessItem>;
}

/** Rows that fit into `height`, what happens now before what is over or waits; and how many are left out. */
export function rowsOf(state: RunState, seen: SeenAttempts, now: number, height: number): { rows: Row[]; hidden: number } {
  const all = [...state.steps.values()];
  const order = new Map(all.map((s, i) => [s, i]));
  const shown = all
    .toSorted((a, b) => weight(a) - weight(b) || (order.get(a) ?? 0) - (order.get(b) ?? 0))
    .slice(0, Math.max(1, height))
    .toSorted((a, b) => (order.get(a) ?? 0) - (order.get(b) ?? 0));
  return { rows: shown.map((s) => rowOf(s, seen, now)), hidden: all.length - shown.length };
}

function weight(s: StepState): number {
  if (s.status === "active") return 0;
  if (s.status === "failed") return 1;
  return s.status === "completed" ? 2 : 3;
}

export function rowOf(s: StepState, { progress, live }: SeenAttempts, now: number): Row {
  const a = s.attempts.at(-1);
  const isActive = s.status === "active" && a !== undefined;
  const last = live.get(s.step.path);
  const watched = isActive && a.phase === "running" && last?.attempt === a.id ? last : undefined;
  const quota = waitOf(s, now);
  const why = quota ? quotaText(quota, now) : (s.because ?? "");
  const from = s.attempts.find((x) => x.startedAt !== undefined)?.startedAt;
  const until = isActive ? now : s.endedAt;
  return {
    id: s.step.path,
    symbol: isActive && a.phase === "queued" ? "·" : symbolOf(s.status),
    status: watched ? watched.state : isActive ? a.phase : quota ? "waits" : s.status,
    attempt: a ? `#${a.n}` : "",
    agent: a?.agent ?? "",
    elapsed: from === undefined || until === undefined ? "" : duration(Math.floor(Math.max(0, until - from) / 100) * 100),
    text: isActive ? (a.phase === "running" ? runningText(progress.get(s.step.path), watched) : "") : why,
  };
}

/** What it does; of one that does nothing, why that is said. */
function runningText(progress: string | undefined, watched: LivenessItem | undefined): string {
  const what = watched && watched.state !== "running" ? watched.evidence[0] : progress;
  return [watched ? riskWord(watched) : "", what ?? ""].filter(Boolean).join("  ");
}
