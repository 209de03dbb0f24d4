import { setTimeout as delay } from "node:timers/promises";
import type { Control } from "../../control/index.ts";
import { fold, isOver, type InboxItem, type RunState } from "../../domain/index.ts";

/** Where a watch ended. `news`: something new waits for people while other steps go on. */
export type Watched =
  | { kind: "over" }
  | { kind: "waiting" }
  | { kind: "stopped" }
  | { kind: "timeout" }
  | { kind: "news"; item: InboxItem };

export interface WatchOptions {
  timeoutMs: number;
  signal: AbortSignal;
  /** Called every few seconds with how far it is. */
  onProgress?: (text: string) => void;
}

const LOOK_EVERY_MS = 1000;
const EVENTS = 1000;

/**
 * Waits as `control.wait` does, but no longer than until something waits for people that does not in `state`, and tells how far the run is. `state`
 * is brought up to date meanwhile.
 */
export async function watchRun(control: Control, state: RunState, { timeoutMs, signal, onProgress }: WatchOptions): Promise<Watched> {
  const { runId } = state;
  const ended = new AbortController();
  const either = AbortSignal.any([signal, ended.signal]);
  const look = lookOn(control, state, either, onProgress);
  const wait = control.wait(runId, { timeoutMs, signal: either });
  try {
    const first = await Promise.race([wait, look]);
    switch (first.kind) {
      case "over":
      case "waiting":
      case "stopped":
      case "timeout":
        return { kind: first.kind };
      case "news":
        return first;
      default:
        return first satisfies never;
    }
  } finally {
    ended.abort();
    await Promise.allSettled([wait, look]);
  }
}

/** Resolves with the first item that was not there in the beginning; else only by being aborted. */
async function lookOn(control: Control, state: RunState, signal: AbortSignal, onProgress: WatchOptions["onProgress"]): Promise<Watched> {
  const known = new Set(state.inbox.keys());
  for (;;) {
    onProgress?.(progressOf(state));
    await delay(LOOK_EVERY_MS, undefined, { signal });
    for (;;) {
      const page = await control.events(state.runId, { after: state.version, limit: EVENTS });
      fold(page, state);
      if (page.length < EVENTS) break;
    }
    const item = [...state.inbox.values()].find((i) => !known.has(i.item));
    if (item) return { kind: "news", item };
  }
}

/** `3 of 7 steps over; running: build, test`. */
function progressOf(state: RunState): string {
  const steps = [...state.steps.values()];
  const running = [...state.running];
  const more = running.length > 3 ? ` and ${running.length - 3} more` : "";
  const now = running.length > 0 ? `; running: ${running.slice(0, 3).join(", ")}${more}` : "";
  const waits = state.inbox.size > 0 ? `; ${state.inbox.size} wait for people` : "";
  return `${steps.filter(isOver).length} of ${steps.length} steps over${now}${waits}`;
}
