import type { Control } from "../control/index.ts";

type LiveItem = Control extends { live(signal: AbortSignal): AsyncIterable<infer T> } ? T : never;

export interface LiveHub {
  /** Hears how running attempts are: as it stands, then each change. Answers how to stop. */
  listen(listener: (item: LiveItem) => void): () => void;
}

/** Looks once for all who listen, and not at all while nobody does. */
export function openLiveHub(control: Pick<Control, "live">, onError: (error: unknown) => void): LiveHub {
  const listeners = new Set<(item: LiveItem) => void>();
  const latest = new Map<string, LiveItem>();
  let looking: AbortController | undefined;
  const look = async (stop: AbortController): Promise<void> => {
    try {
      for await (const item of control.live(stop.signal)) {
        latest.set(item.attempt, item);
        for (const listener of listeners) listener(item);
      }
    } catch (error) {
      if (!stop.signal.aborted) onError(error);
      if (looking === stop) looking = undefined;
    }
  };
  return {
    listen(listener) {
      for (const item of latest.values()) listener(item);
      listeners.add(listener);
      if (!looking) {
        looking = new AbortController();
        void look(looking);
      }
      return () => {
        listeners.delete(listener);
        if (listeners.size > 0) return;
        looking?.abort();
        looking = undefined;
        latest.clear();
      };
    },
  };
}
