import { setTimeout as sleep } from "node:timers/promises";
import type { Control } from "../control/index.ts";

type LiveItem = Control extends { live(signal: AbortSignal): AsyncIterable<infer T> } ? T : never;

export interface LiveHub {
  /** Hears how running attempts are: as it stands, then each change. Answers how to stop. */
  listen(listener: (item: LiveItem) => void): () => void;
}

const AGAIN_MS = 2_000;

/**
 * Looks once for all who listen, and not at all while nobody does. Nothing is kept: whoever comes later has the look begin again, which tells how things
 * stand, and those who listen already hear that once more.
 */
export function openLiveHub(control: Pick<Control, "live">, onError: (error: unknown) => void, againMs = AGAIN_MS): LiveHub {
  const listeners = new Set<(item: LiveItem) => void>();
  let looking: AbortController | undefined;
  const look = async ({ signal }: AbortController): Promise<void> => {
    while (!signal.aborted) {
      try {
        for await (const item of control.live(signal)) {
          if (signal.aborted) return;
          for (const listener of listeners) listener(item);
        }
      } catch (error) {
        // A store that is busy can be asked again; those who listen wait for it.
        if (!signal.aborted) onError(error);
      }
      await sleep(againMs, undefined, { signal }).catch(() => undefined);
    }
  };
  const begin = (): void => {
    looking?.abort();
    looking = new AbortController();
    void look(looking);
  };
  return {
    listen(listener) {
      listeners.add(listener);
      begin();
      return () => {
        listeners.delete(listener);
        if (listeners.size > 0) return;
        looking?.abort();
        looking = undefined;
      };
    },
  };
}
