import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Reservation, Store } from "../index.ts";
import { asking, entry, fixture, idsOf, type StoreHarness } from "./fixture.ts";

const some = (count: number, run = "r") => Array.from({ length: count }, (_, i) => entry(`${run}/${i}#1`, { enqueuedAt: i }));

export function machineConformance(harness: StoreHarness): void {
  describe("slots of a machine", () => {
    const at = fixture(harness);
    const on = (id: string, slots: number, more: Parameters<typeof asking>[0] = {}) =>
      asking({ limit: 9, machine: { id, slots }, ...more });

    test("all processes of a machine share them; another machine has its own, and who names none has no limit", async () => {
      await at.store.commit({ enqueue: some(9) });
      const other = await at.another();
      const first = await at.store.reserve(on("m", 3, { limit: 2, node: "m:1" }));
      expect(first).toHaveLength(2);
      expect(await other.reserve(on("m", 3, { node: "m:2" }))).toHaveLength(1);
      expect(await at.store.reserve(on("m", 3, { node: "m:1" }))).toEqual([]);
      expect(await other.reserve(on("n", 2))).toHaveLength(2);
      expect(await other.reserve(asking())).toHaveLength(1);
      expect((await at.store.leases("r/")).map(({ machine }) => machine)).toEqual(["m", "m", "m", "n", "n", undefined]);
      await at.store.commit({ settle: [first[0]!.lease] });
      await at.store.release(first[1]!.lease);
      expect(idsOf(await other.reserve(on("m", 3)))).toEqual(["r/1#1", "r/6#1"]);
    });

    test("the slots are those of who asks: fewer than run already give nothing, and take nothing away", async () => {
      await at.store.commit({ enqueue: some(4) });
      const [one] = await at.store.reserve(on("m", 2));
      expect(await at.store.reserve(on("m", 1))).toEqual([]);
      expect(await at.store.reserve(on("m", 0))).toEqual([]);
      expect(await at.store.extend([one!.lease], 9_000)).toEqual({ lost: [] });
      expect(await at.store.reserve(on("m", 3))).toHaveLength(1);
    });

    test("a lease that ran out takes no slot; extended after that it does again", async () => {
      await at.store.commit({ enqueue: some(3) });
      const [late] = await at.store.reserve(on("m", 1, { limit: 1 }));
      expect(await at.store.reserve(on("m", 1, { now: 1_999 }))).toEqual([]);
      // The entry is not this agent's, so its lease is not taken over: it only stops counting.
      await at.store.commit({ enqueue: [entry("r/b#1", { agents: ["b"] })] });
      const b = { agents: [{ id: "b", account: "y" }] };
      expect(idsOf(await at.store.reserve(on("m", 1, { ...b, now: 2_001, leaseMs: 10 })))).toEqual(["r/b#1"]);
      await at.store.extend([late!.lease], 9_000);
      expect(await at.store.reserve(on("m", 1, { now: 2_100 }))).toEqual([]);
      expect(await at.store.reserve(on("m", 2, { now: 2_100 }))).toHaveLength(1);
    });

    test("who says how many it runs is not counted by its own leases, and by those of others all the same", async () => {
      await at.store.commit({ enqueue: some(6) });
      expect(await at.store.reserve(on("m", 3, { node: "one", limit: 2 }))).toHaveLength(2);
      expect(await at.store.reserve(on("m", 3, { node: "two" }))).toHaveLength(1);
      expect(await at.store.reserve(on("m", 3, { node: "one" }))).toHaveLength(0);
      // Both attempts of `one` are over; what they came to is still being written.
      expect(await at.store.reserve(on("m", 3, { node: "one", machine: { id: "m", slots: 3, busy: 0 } }))).toHaveLength(2);
      expect(await at.store.reserve(on("m", 3, { node: "one", machine: { id: "m", slots: 3, busy: 2 } }))).toHaveLength(0);
    });

    test("an attempt that is taken over keeps its slot, one that is reserved anew takes the new machine's", async () => {
      await at.store.commit({ enqueue: some(1) });
      const [got] = await at.store.reserve(on("m", 1));
      const key = got!.lease.key;
      await at.store.acquire({ key, holder: "heir", now: 1_500, until: 2_500, breakEpoch: got!.lease.epoch });
      expect(await at.store.leases(key)).toMatchObject([{ holder: "heir", machine: "m" }]);
      expect(await at.store.reserve(on("n", 1, { now: 3_000 }))).toHaveLength(1);
      expect(await at.store.leases(key)).toMatchObject([{ machine: "n" }]);
      await at.store.reserve(asking({ now: 9_000 }));
      expect((await at.store.leases(key))[0]).not.toHaveProperty("machine");
    });

    test("the slots of accounts hold beside them", async () => {
      await at.store.commit({ enqueue: [...some(3), ...some(3, "s").map((e) => ({ ...e, agents: ["b"] }))] });
      const agents = [
        { id: "a", account: "x" },
        { id: "b", account: "y" },
      ];
      const got = await at.store.reserve(on("m", 4, { agents, accountSlots: { x: 1 } }));
      expect(got.map(({ account }) => account).toSorted()).toEqual(["x", "y", "y", "y"]);
    });

    test("many processes ask at the same moment, again and again: no machine is ever beyond its slots, and nothing is lost", async () => {
      const stores = [at.store, await at.another(), await at.another()];
      let round = 0;
      const ask = fc.record({
        store: fc.nat(2),
        machine: fc.nat(1),
        limit: fc.integer({ min: 1, max: 5 }),
        leaseMs: fc.constantFrom(5, 1_000),
      });
      const moment = fc.record({ asks: fc.array(ask, { minLength: 1, maxLength: 8 }), settled: fc.nat(6), waitMs: fc.nat(8) });
      const slots = fc.tuple(fc.integer({ min: 0, max: 4 }), fc.integer({ min: 1, max: 4 }));
      await fc.assert(
        fc.asyncProperty(slots, fc.array(moment, { minLength: 1, maxLength: 8 }), async (most, moments) => {
          const run = `run${++round}`;
          const open = new Set(idsOfEntries(run));
          await at.store.commit({ enqueue: some(20, run) });
          let now = 1_000;
          let held: (Reservation & { machine: number })[] = [];
          for (const { asks, settled, waitMs } of moments) {
            now += waitMs;
            const one = async ({ store, machine, limit, leaseMs }: (typeof asks)[number]) => {
              const mine: Store = stores[store]!;
              const got = await mine.reserve(on(`${run}-${machine}`, most[machine]!, { limit, leaseMs, now, runs: [run] }));
              return got.map((reservation) => ({ ...reservation, machine }));
            };
            const got = (await Promise.all(asks.map(one))).flat();
            held = [...held.filter((h) => !got.some((g) => g.lease.key === h.lease.key)), ...got];
            const live = (machine: number): number => held.filter((h) => h.machine === machine && h.until > now).length;
            expect(live(0)).toBeLessThanOrEqual(most[0]);
            expect(live(1)).toBeLessThanOrEqual(most[1]);
            // Whoever asked for more than there was room for found the machine full, or the queue empty.
            const waiting = open.size - held.filter((h) => h.until > now).length;
            for (const { machine, limit } of asks) if (waiting > 0 && limit >= most[machine]!) expect(live(machine)).toBe(most[machine]);
            const over = held.splice(0, settled);
            await at.store.commit({ settle: over.map(({ lease }) => lease) });
            for (const { lease } of over) open.delete(lease.key);
          }
          const rest = await at.store.reserve(on(run, 99, { limit: 99, now: now + 9_000, runs: [run] }));
          expect(idsOf(rest).toSorted()).toEqual([...open].toSorted());
          await at.store.commit({ settle: rest.map(({ lease }) => lease) });
        }),
        { numRuns: 40 },
      );
    });
  });
}

const idsOfEntries = (run: string): string[] => some(20, run).map(({ id }) => id);
