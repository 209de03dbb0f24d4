import { create } from "zustand";
import type { Recorded } from "../../../src/domain/index.ts";
import { emptyLog, hasGap, take, type RunLog } from "./run-log.ts";
import {
  runIdOf,
  type Connection,
  type FromStream,
  type LiveItem,
  type LivenessItem,
  type ToStream,
  type Touch,
} from "./stream/messages.ts";
import type { Problem } from "./api/problem.ts";

export interface LiveAttempt {
  attempt: string;
  step: string;
  liveness?: LivenessItem;
  progress?: { at: number; text: string };
}

/** A run that somebody looks at. */
export interface WatchedRun {
  log: RunLog;
  isLoaded: boolean;
  error?: Problem | undefined;
}

interface StreamState {
  connection: Connection;
  runs: Readonly<Record<string, WatchedRun>>;
  /** By run, then by attempt. Of every run that is live: a few hundred bytes each. */
  live: Readonly<Record<string, ReadonlyMap<string, LiveAttempt>>>;
}

export const useStream = create<StreamState>(() => ({ connection: { state: "connecting" }, runs: {}, live: {} }));

export const emptyWatched: WatchedRun = { log: emptyLog, isLoaded: false };

/** What came since the last frame. */
let pendingEvents: Recorded[] = [];
let pendingLive: LiveItem[] = [];
let pendingTouches: Touch[] = [];
let isScheduled = false;

interface Hooks {
  /** Runs of which something came that does not join what is known. */
  repair(runId: string): void;
  touched(touches: readonly Touch[]): void;
  /** The stream is there, or there again. */
  joined(): void;
}

/** Takes what the stream says. One write to the store in a frame, however much comes: pages draw what they can show. */
export function receive(message: FromStream, hooks: Hooks): void {
  if (message.kind === "connection") {
    const isJoined = message.connection.state === "live";
    // How attempts are is told anew; those that were over meanwhile are not told of.
    useStream.setState({ connection: message.connection, ...(isJoined ? { live: {} } : {}) });
    if (isJoined) hooks.joined();
    return;
  }
  if (message.kind === "watching") {
    for (const runId of message.runs) hooks.repair(runId);
    return;
  }
  pendingEvents.push(...message.events);
  pendingLive.push(...message.live);
  pendingTouches.push(...message.touched);
  if (isScheduled) return;
  isScheduled = true;
  const draw = (): void => {
    if (isScheduled) flush(hooks);
  };
  requestAnimationFrame(draw);
  // A page that nobody sees gets no frames: it is brought up to date once a second, so that nothing piles up.
  setTimeout(draw, 1_000);
}

function flush(hooks: Hooks): void {
  isScheduled = false;
  const [events, live, touches] = [pendingEvents, pendingLive, pendingTouches];
  pendingEvents = [];
  pendingLive = [];
  pendingTouches = [];
  const state = useStream.getState();
  const runs = withEvents(state.runs, events);
  useStream.setState({ runs, live: withLive(state.live, live, touches) });
  for (const runId of new Set(events.map((e) => runIdOf(e.stream) ?? "")))
    if (runs[runId]?.isLoaded && hasGap(runs[runId].log)) hooks.repair(runId);
  if (touches.length > 0) hooks.touched(touches);
}

function withEvents(runs: StreamState["runs"], events: readonly Recorded[]): StreamState["runs"] {
  const byRun = Map.groupBy(events, (e) => runIdOf(e.stream) ?? "");
  const changed: Record<string, WatchedRun> = {};
  for (const [runId, of] of byRun) {
    const run = runs[runId];
    if (!run) continue;
    const log = take(run.log, of);
    if (log !== run.log) changed[runId] = { ...run, log };
  }
  return Object.keys(changed).length === 0 ? runs : { ...runs, ...changed };
}

function withLive(before: StreamState["live"], items: readonly LiveItem[], touches: readonly Touch[]): StreamState["live"] {
  if (items.length === 0 && !touches.some((t) => t.type === "RunFinished")) return before;
  const after: Record<string, ReadonlyMap<string, LiveAttempt>> = { ...before };
  for (const [runId, of] of Map.groupBy(items, (i) => i.runId)) {
    const attempts = new Map(after[runId]);
    for (const item of of) {
      const known = attempts.get(item.attempt) ?? { attempt: item.attempt, step: item.step };
      attempts.set(
        item.attempt,
        item.type === "progress"
          ? { ...known, progress: { at: item.at, text: item.text } }
          : { ...known, liveness: { state: item.state, since: item.since, evidence: item.evidence, risk: item.risk } },
      );
    }
    after[runId] = attempts;
  }
  for (const { runId, type } of touches) if (type === "RunFinished") delete after[runId];
  return after;
}

/** Says to the stream what this tab shows. Set when the stream is joined. */
let tell: (message: ToStream) => void = () => undefined;
export const setTell = (to: (message: ToStream) => void): void => {
  tell = to;
};
export const tellWatched = (): void => tell({ kind: "watch", runs: Object.keys(useStream.getState().runs) });
export const retryStream = (): void => tell({ kind: "retry" });
