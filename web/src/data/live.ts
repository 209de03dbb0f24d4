import { useSyncExternalStore } from "react";
import { loadAll, load } from "./run-events.ts";
import { refreshAfter, refreshAll } from "./refresh.ts";
import { receive, setTell, useStream, type LiveAttempt } from "./stream-store.ts";
import { joinStream } from "./stream/connect.ts";
import type { Connection } from "./stream/messages.ts";

const none: ReadonlyMap<string, LiveAttempt> = new Map();

/** What attempts of a run are doing now. */
export const useLive = (runId: string): ReadonlyMap<string, LiveAttempt> => useStream((s) => s.live[runId]) ?? none;

export const useConnection = (): Connection => useStream((s) => s.connection);

/** Called once, before the first page is drawn. */
export function startLive(): void {
  const hooks = {
    repair: (runId: string) => void load(runId),
    touched: refreshAfter,
    joined: () => {
      loadAll();
      refreshAll();
    },
  };
  setTell(joinStream((message) => receive(message, hooks)));
}

/** Now, for what is told relative to it; stands still while nobody looks. However many ask, they change together. */
export function useNow(everyMs = 1_000): number {
  const clock = clockOf(everyMs);
  return useSyncExternalStore(clock.subscribe, clock.now);
}

interface SharedClock {
  subscribe(heard: () => void): () => void;
  now(): number;
}

const clocks = new Map<number, SharedClock>();

function clockOf(everyMs: number): SharedClock {
  const known = clocks.get(everyMs);
  if (known) return known;
  const listeners = new Set<() => void>();
  let now = Date.now();
  let timer: ReturnType<typeof setInterval> | undefined;
  const tick = (): void => {
    if (document.hidden) return;
    now = Date.now();
    for (const heard of listeners) heard();
  };
  const made: SharedClock = {
    subscribe(heard) {
      if (listeners.size === 0) {
        now = Date.now();
        timer = setInterval(tick, everyMs);
      }
      listeners.add(heard);
      return () => {
        listeners.delete(heard);
        if (listeners.size === 0) clearInterval(timer);
      };
    },
    now: () => now,
  };
  clocks.set(everyMs, made);
  return made;
}
