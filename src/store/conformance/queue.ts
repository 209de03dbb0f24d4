import { describe, expect, test } from "vitest";
import { asking, completed, entry, fixture, idsOf, refusal, type StoreHarness } from "./fixture.ts";

const X = { id: "a", account: "x" };
const Y = { id: "b", account: "y" };

export function queueConformance(harness: StoreHarness): void {
  describe("the queue", () => {
    const at = fixture(harness);

    test("an entry comes back as it was put in, with a lease for the agent that may do it", async () => {
      const put = entry("r/one#1", { agents: ["b", "a"], priority: 2, rank: 1.5, affinity: "k", enqueuedAt: 77 });
      await at.store.commit({ enqueue: [put] });
      const [got, ...rest] = await at.store.reserve(asking());
      expect(rest).toEqual([]);
      expect(got).toEqual({ entry: put, agent: "a", account: "x", until: 2_000, lease: { key: "r/one#1", epoch: expect.any(Number) } });
      expect(await at.store.leases("r/")).toEqual([{ ...got!.lease, holder: "node-1", until: 2_000, agent: "a", runId: "r" }]);
    });

    test("priority goes before rank, rank before age", async () => {
      await at.store.commit({
        enqueue: [
          entry("r/young#1", { rank: 5, enqueuedAt: 300 }),
          entry("r/old#1", { rank: 5, enqueuedAt: 200 }),
          entry("r/long#1", { rank: 9, enqueuedAt: 900 }),
          entry("r/urgent#1", { priority: 1, enqueuedAt: 999 }),
          entry("r/later#1", { priority: -1, rank: 99, enqueuedAt: 1 }),
        ],
      });
      const order = ["r/urgent#1", "r/long#1", "r/old#1", "r/young#1", "r/later#1"];
      expect(idsOf(await at.store.reserve(asking({ limit: 2 })))).toEqual(order.slice(0, 2));
      expect(idsOf(await at.store.reserve(asking({ limit: 9 })))).toEqual(order.slice(2));
    });

    test("only the agents an entry names get it, the first of them that is free", async () => {
      await at.store.commit({ enqueue: [entry("r/1#1", { agents: ["c"] }), entry("r/2#1", { agents: ["b", "a"] })] });
      const got = await at.store.reserve(asking({ agents: [X, Y], limit: 5 }));
      expect(got.map(({ entry: { id }, agent, account }) => [id, agent, account])).toEqual([["r/2#1", "b", "y"]]);
    });

    test("only the runs that are asked for", async () => {
      await at.store.commit({ enqueue: ["q/1#1", "r/1#1", "s/1#1", "s/2#1"].map((id) => entry(id)) });
      expect(idsOf(await at.store.reserve(asking({ runs: ["s", "q"], limit: 2 })))).toEqual(["q/1#1", "s/1#1"]);
      expect(await at.store.reserve(asking({ runs: [] }))).toEqual([]);
      expect(idsOf(await at.store.reserve(asking({ limit: 9 })))).toEqual(["r/1#1", "s/2#1"]);
    });

    test("an account never gets more than its slots, whoever asks; the others go on", async () => {
      await at.store.commit({ enqueue: [1, 2, 3, 4, 5].map((n) => entry(`r/${n}#1`, { agents: ["a", "b"], enqueuedAt: n })) });
      const other = await at.another();
      const ask = asking({ agents: [X, Y], accountSlots: { x: 2 }, limit: 3 });
      const first = await at.store.reserve(ask);
      expect(first.map(({ agent }) => agent)).toEqual(["a", "a", "b"]);
      expect((await other.reserve(ask)).map(({ agent }) => agent)).toEqual(["b", "b"]);
      await at.store.commit({ settle: [first[0]!.lease], enqueue: [entry("r/6#1"), entry("r/7#1")] });
      expect(idsOf(await other.reserve(asking({ accountSlots: { x: 2 }, limit: 3 })))).toEqual(["r/6#1"]);
      expect(await at.store.reserve(asking({ accountSlots: { x: 0 } }))).toEqual([]);
    });

    test("a lease that ran out leaves its slot and its entry to others, with a higher epoch", async () => {
      await at.store.commit({ enqueue: [entry("r/1#1")] });
      const [first] = await at.store.reserve(asking({ accountSlots: { x: 1 } }));
      expect(await at.store.reserve(asking({ accountSlots: { x: 1 }, now: 1_999 }))).toEqual([]);
      const [second] = await at.store.reserve(asking({ node: "node-2", accountSlots: { x: 1 }, now: 2_001 }));
      expect(second!.entry).toEqual(first!.entry);
      expect(second!.lease.epoch).toBeGreaterThan(first!.lease.epoch);
      expect(await at.store.extend([first!.lease], 9_000)).toEqual({ lost: [first!.lease] });
    });

    test("a late answer with an old epoch is refused and nothing of it is written", async () => {
      await at.store.commit({ enqueue: [entry("r/1#1")] });
      const [late] = await at.store.reserve(asking());
      const [current] = await at.store.reserve(asking({ now: 3_000 }));
      const answer = { appends: [{ stream: "run:r", expected: 0, events: [completed("1")] }] };
      await expect(at.store.commit({ ...answer, settle: [late!.lease] })).rejects.toEqual(refusal("STORE_STALE_LEASE"));
      expect(await at.store.read("run:r")).toEqual([]);
      await at.store.commit({ ...answer, settle: [current!.lease] });
      expect(await at.store.queueStats()).toEqual({ queued: 0, leased: 0 });
      await expect(at.store.commit({ settle: [current!.lease] })).rejects.toEqual(refusal("STORE_STALE_LEASE"));
      expect(await at.store.leases("r/")).toEqual([]);
    });

    test("a lease that ran out but that nobody took is still good: to settle, and to extend", async () => {
      await at.store.commit({ enqueue: [entry("r/1#1"), entry("r/2#1", { agents: ["b"] })] });
      const [one] = await at.store.reserve(asking());
      const [two] = await at.store.reserve(asking({ agents: [Y] }));
      // Somebody asks when both have run out, but may do neither.
      expect(await at.store.reserve(asking({ agents: [{ id: "c", account: "z" }], now: 5_000 }))).toEqual([]);
      await at.store.commit({ settle: [one!.lease] });
      expect(await at.store.extend([two!.lease], 9_000)).toEqual({ lost: [] });
      expect(await at.store.reserve(asking({ agents: [X, Y], limit: 5, now: 8_000 }))).toEqual([]);
      expect(idsOf(await at.store.reserve(asking({ agents: [X, Y], limit: 5, now: 9_001 })))).toEqual(["r/2#1"]);
    });

    test("withdrawn entries are gone, queued or leased, and their late answers are refused", async () => {
      await at.store.commit({ enqueue: [entry("r/1#1"), entry("r/2#1", { enqueuedAt: 200 })] });
      const [got] = await at.store.reserve(asking());
      await at.store.commit({ withdraw: ["r/1#1", "r/2#1", "r/unknown#1"] });
      expect(await at.store.reserve(asking({ limit: 9, now: 9_000 }))).toEqual([]);
      await expect(at.store.commit({ settle: [got!.lease] })).rejects.toEqual(refusal("STORE_STALE_LEASE"));
      await at.store.commit({ enqueue: [entry("r/1#1")] });
      const [again] = await at.store.reserve(asking());
      expect(again!.lease.epoch).toBeGreaterThan(got!.lease.epoch);
    });

    test("an id that is queued already stays as it is", async () => {
      await at.store.commit({ enqueue: [entry("r/1#1", { rank: 1 })] });
      await at.store.commit({ enqueue: [entry("r/1#1", { rank: 2 })] });
      const [got] = await at.store.reserve(asking({ limit: 5 }));
      expect(got!.entry.rank).toBe(1);
      await at.store.commit({ enqueue: [entry("r/1#1")] });
      expect(await at.store.reserve(asking({ limit: 5 }))).toEqual([]);
    });

    test("a lease that is given back leaves its entry to the next", async () => {
      await at.store.commit({ enqueue: [entry("r/1#1")] });
      const [got] = await at.store.reserve(asking({ accountSlots: { x: 1 } }));
      await at.store.release(got!.lease);
      const [next] = await at.store.reserve(asking({ accountSlots: { x: 1 } }));
      expect(next!.lease.epoch).toBeGreaterThan(got!.lease.epoch);
      await at.store.release(got!.lease);
      expect(await at.store.leases("r/")).toHaveLength(1);
    });

    test("its numbers: what waits, what is being done, and since when the oldest waits", async () => {
      expect(await at.store.queueStats()).toEqual({ queued: 0, leased: 0 });
      const ages = { "r/1#1": 300, "r/2#1": 400, "s/1#1": 500 };
      await at.store.commit({ enqueue: Object.entries(ages).map(([id, enqueuedAt]) => entry(id, { enqueuedAt })) });
      await at.store.reserve(asking());
      expect(await at.store.queueStats()).toEqual({ queued: 2, leased: 1, oldestQueuedAt: 400 });
      expect(await at.store.queueStats("r")).toEqual({ queued: 1, leased: 1, oldestQueuedAt: 400 });
      expect(await at.store.queueStats("s")).toEqual({ queued: 1, leased: 0, oldestQueuedAt: 500 });
      at.now = 2_001;
      expect(await at.store.queueStats()).toEqual({ queued: 3, leased: 0, oldestQueuedAt: 300 });
    });

    test("what a dead holder has is queued again in the numbers, before its lease runs out", async () => {
      await at.store.commit({ enqueue: [1, 2, 3].map((n) => entry(`r/${n}#1`, { enqueuedAt: n })) });
      await at.store.reserve(asking({ node: "dead" }));
      await at.store.reserve(asking({ node: "alive" }));
      expect(await at.store.queueStats()).toEqual({ queued: 1, leased: 2, oldestQueuedAt: 3 });
      for (const run of [undefined, "r"])
        expect(await at.store.queueStats(run, { gone: ["dead", "unknown"] })).toEqual({ queued: 2, leased: 1, oldestQueuedAt: 1 });
    });

    test("many nodes ask at once: each entry goes to one of them", async () => {
      const ids = Array.from({ length: 60 }, (_, i) => `r/${i}#1`);
      await at.store.commit({ enqueue: ids.map((id) => entry(id)) });
      const stores = [at.store, await at.another(), await at.another()];
      const got = await Promise.all(Array.from({ length: 30 }, (_, i) => stores[i % 3]!.reserve(asking({ node: `node-${i}`, limit: 3 }))));
      expect(idsOf(got.flat()).toSorted()).toEqual(ids.toSorted());
    });
  });
}
