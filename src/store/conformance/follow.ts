import { describe, expect, test } from "vitest";
import type { Recorded } from "../../domain/index.ts";
import type { Store } from "../index.ts";
import { fixture, refusal, steps, type StoreHarness } from "./fixture.ts";

/** Follows until `count` events came. */
const take = (store: Store, stream: string, after: number, count: number): Promise<Recorded[]> =>
  taken((signal) => store.follow(stream, { after, signal }), count);

const takeAll = (store: Store, after: number, count: number): Promise<Recorded[]> =>
  taken((signal) => store.followAll({ after, signal }), count);

async function taken(follow: (signal: AbortSignal) => AsyncIterable<Recorded>, count: number): Promise<Recorded[]> {
  const events: Recorded[] = [];
  const stop = new AbortController();
  for await (const event of follow(stop.signal)) {
    events.push(event);
    if (events.length === count) stop.abort();
  }
  return events;
}

export function followConformance(harness: StoreHarness): void {
  describe("following a stream", () => {
    const at = fixture(harness);

    test("it begins with what is recorded after a version", async () => {
      await at.store.commit({ appends: [{ stream: "run:1", expected: 0, events: steps(5) }] });
      expect((await take(at.store, "run:1", 3, 2)).map((event) => event.version)).toEqual([4, 5]);
    });

    test("it goes on with what this process commits, and leaves other streams out", async () => {
      const following = take(at.store, "run:1", 0, 3);
      for (let version = 0; version < 3; version++) {
        await at.store.commit({ appends: [{ stream: "run:2", expected: version, events: steps(1) }] });
        await at.store.commit({ appends: [{ stream: "run:1", expected: version, events: steps(1) }] });
      }
      expect((await following).map((event) => event.stream)).toEqual(["run:1", "run:1", "run:1"]);
    });

    test("it sees what another process commits within a second", async () => {
      const other = await at.another();
      const following = take(at.store, "run:1", 0, 1);
      // Long enough that the follower waits already.
      await new Promise((resolve) => setTimeout(resolve, 150));
      const before = performance.now();
      await other.commit({ appends: [{ stream: "run:1", expected: 0, events: steps(1) }] });
      expect(await following).toHaveLength(1);
      expect(performance.now() - before).toBeLessThan(1_000);
    });

    test("two processes append as fast as they can: no gap, no double, for early and late followers", async () => {
      const other = await at.another();
      const total = 200;
      const early = [take(at.store, "run:1", 0, total), take(other, "run:1", 0, total)];
      const late: Promise<Recorded[]>[] = [];
      let left = total;
      const append = async (store: Store): Promise<void> => {
        for (let version = 0; left > 0;) {
          try {
            version = (await store.commit({ appends: [{ stream: "run:1", expected: version, events: steps(1) }] })).versions["run:1"]!;
            if (--left % 50 === 0) late.push(take(store, "run:1", 10, total - 10));
          } catch {
            version = (await store.read("run:1")).length;
          }
          if (left <= 0) return;
        }
      };
      await Promise.all([append(at.store), append(other)]);
      const expected = Array.from({ length: total }, (_, i) => i + 1);
      for (const events of await Promise.all(early)) expect(events.map((event) => event.version)).toEqual(expected);
      for (const events of await Promise.all(late)) expect(events.map((event) => event.version)).toEqual(expected.slice(10));
    });

    test("of all streams: what is recorded after a number, then what every process commits; no gap, no double, in the order of commits", async () => {
      const other = await at.another();
      await at.store.commit({ appends: [{ stream: "run:0", expected: 0, events: steps(3) }] });
      const early = takeAll(at.store, 0, 63);
      const write = async (store: Store, stream: string): Promise<void> => {
        for (let version = 0; version < 30; version += 2)
          await store.commit({ appends: [{ stream, expected: version, events: steps(2, version) }] });
      };
      await Promise.all([write(at.store, "run:1"), write(other, "run:2")]);
      const recorded = await at.store.readAll();
      expect((await early).map((event) => event.globalSeq)).toEqual(recorded.map((event) => event.globalSeq));
      expect(await takeAll(other, recorded[9]!.globalSeq, 53)).toEqual(recorded.slice(10));
    });

    test("an abort ends it, before it began, while it waits, and in the middle of the history", async () => {
      await at.store.commit({ appends: [{ stream: "run:1", expected: 0, events: steps(5) }] });
      const end = async (signal: AbortSignal, after: number): Promise<number> => {
        let count = 0;
        for await (const _ of at.store.follow("run:1", { after, signal })) count++;
        return count;
      };
      expect(await end(AbortSignal.abort(), 0)).toBe(0);
      expect(await end(AbortSignal.timeout(50), 5)).toBe(0);
      expect(await take(at.store, "run:1", 0, 2)).toHaveLength(2);
    });

    test("when the store is closed it fails instead of ending as if that were all", async () => {
      const store = await at.another();
      const following = take(store, "run:1", 0, 1);
      const failed = expect(following).rejects.toEqual(refusal("STORE_CLOSED"));
      await new Promise((resolve) => setTimeout(resolve, 50));
      await store.close();
      await failed;
    });
  });
}
