import type { Recorded } from "../../domain/index.ts";
import type { StoreError } from "../errors.ts";
import type { FollowOptions } from "../index.ts";

/** What somebody follows who follows all streams. */
export const ALL = Symbol("all streams");

export interface Followers {
  /** See `Store.follow` and `Store.followAll`. */
  follow(stream: string | typeof ALL, options: FollowOptions): AsyncGenerator<Recorded, void>;
  /** These streams have new events, written through this store or by another process. */
  wake(streams: readonly string[], by: "us" | "others"): void;
  /** Everybody who follows now ends with this error. */
  fail(error: StoreError): void;
}

/** Somebody who reads a stream to its end and waits for more. */
interface Follower {
  wakesForOwn: boolean;
  /** Woken since it last began to read: what it is reading now may miss the newest. */
  isStale: boolean;
  failure: StoreError | undefined;
  wake(): void;
}

/**
 * `read` answers at most one page, after a version of a stream or after a globalSeq of all; `watch` is called with true before the first follower reads and with false after the
 * last one went, so that nothing is looked for while nobody follows.
 */
export function openFollowers(
  read: (stream: string | typeof ALL, after: number) => Promise<Recorded[]>,
  watch: (on: boolean) => void,
): Followers {
  const byStream = new Map<string | typeof ALL, Set<Follower>>();

  const enter = (stream: string | typeof ALL, follower: Follower): void => {
    if (byStream.size === 0) watch(true);
    byStream.set(stream, (byStream.get(stream) ?? new Set()).add(follower));
  };
  const leave = (stream: string | typeof ALL, follower: Follower): void => {
    const followers = byStream.get(stream);
    followers?.delete(follower);
    if (followers?.size === 0) byStream.delete(stream);
    if (byStream.size === 0) watch(false);
  };

  return {
    async *follow(stream, { after, signal, own = true }) {
      const follower: Follower = { wakesForOwn: own, isStale: false, failure: undefined, wake: () => {} };
      const onAbort = (): void => follower.wake();
      enter(stream, follower);
      signal.addEventListener("abort", onAbort);
      try {
        let last = after;
        while (!signal.aborted) {
          if (follower.failure) throw follower.failure;
          follower.isStale = false;
          const events = await read(stream, last);
          for (const event of events) {
            if (signal.aborted) return;
            last = stream === ALL ? event.globalSeq : event.version;
            yield event;
          }
          if (events.length > 0 || follower.isStale || follower.failure || signal.aborted) continue;
          await new Promise<void>((resolve) => (follower.wake = resolve));
        }
      } finally {
        signal.removeEventListener("abort", onAbort);
        leave(stream, follower);
      }
    },

    wake(streams, by) {
      if (streams.length === 0) return;
      for (const stream of [...streams, ALL] as const)
        for (const follower of byStream.get(stream) ?? []) {
          if (by === "us" && !follower.wakesForOwn) continue;
          follower.isStale = true;
          follower.wake();
        }
    },

    fail(error) {
      for (const follower of [...byStream.values()].flatMap((followers) => [...followers])) {
        follower.failure = error;
        follower.wake();
      }
    },
  };
}
