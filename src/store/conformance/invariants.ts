import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Reservation, Store } from "../index.ts";
import { completed, entry, fixture, idsOf, type StoreHarness } from "./fixture.ts";

const AGENTS = ["a", "b", "c"].map((id, i) => ({ id, account: i === 2 ? "y" : "x" }));

type Act =
  | { do: "enqueue"; n: number; agents: string[]; affinity: string | undefined }
  | { do: "reserve"; limit: number; leaseMs: number }
  | { do: "extend" | "settle" | "release" | "withdraw"; which: number }
  | { do: "wait"; ms: number };

const act: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("enqueue" as const),
      n: fc.nat(12),
      agents: fc.subarray(["a", "b", "c"], { minLength: 1 }),
      affinity: fc.constantFrom(undefined, "k", "l"),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("reserve" as const),
      limit: fc.integer({ min: 1, max: 4 }),
      leaseMs: fc.integer({ min: 1, max: 50 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom("extend" as const, "settle" as const, "release" as const, "withdraw" as const),
      which: fc.nat(9),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("wait" as const), ms: fc.integer({ min: 1, max: 40 }) }) },
);

/** What a history of acts must have led to; epochs and ids are all it knows. */
interface Model {
  queued: Set<string>;
  held: Map<string, Reservation>;
  /** Every reservation ever made, current or not. */
  made: Reservation[];
}

export function invariantConformance(harness: StoreHarness): void {
  describe("whatever happens", () => {
    const at = fixture(harness);

    test("never two live leases on an entry, nothing lost, no account beyond its slots", async () => {
      const stores = [at.store, await at.another()];
      let round = 0;
      await fc.assert(
        fc.asyncProperty(fc.array(act, { minLength: 5, maxLength: 40 }), async (acts) => {
          const run = `run${++round}`;
          const model: Model = { queued: new Set(), held: new Map(), made: [] };
          let now = 1_000;
          for (const [i, next] of acts.entries()) now = await perform(next, stores[i % 2]!, run, now, model);
          // Nothing lost: with everything run out, all that is left can be taken.
          const rest = await at.store.reserve({ ...demand(run, now + 10_000, 1_000), accountSlots: {} });
          expect(idsOf(rest).toSorted()).toEqual([...model.queued].toSorted());
          await at.store.commit({ settle: rest.map(({ lease }) => lease) });
          expect(await at.store.queueStats(run)).toEqual({ queued: 0, leased: 0 });
        }),
        { numRuns: 40 },
      );
    });

    test("concurrent commits with conflicts leave every stream contiguous and every answer true", async () => {
      const stores = [at.store, await at.another()];
      let round = 0;
      const writer = fc.array(fc.record({ stream: fc.nat(2), count: fc.integer({ min: 1, max: 3 }), store: fc.nat(1) }), {
        minLength: 1,
        maxLength: 8,
      });
      await fc.assert(
        fc.asyncProperty(fc.array(writer, { minLength: 2, maxLength: 6 }), async (writers) => {
          const name = (stream: number): string => `run:${round}-${stream}`;
          round++;
          const acknowledged: string[] = [];
          const write = async (plan: readonly { stream: number; count: number; store: number }[], w: number): Promise<void> => {
            const seen = new Map<number, number>();
            for (const [i, { stream, count, store }] of plan.entries()) {
              const ids = Array.from({ length: count }, (_, k) => `w${w}-${i}-${k}`);
              const append = { stream: name(stream), expected: seen.get(stream) ?? 0, events: ids.map(completed) };
              try {
                seen.set(stream, (await stores[store]!.commit({ appends: [append] })).versions[append.stream]!);
                acknowledged.push(...ids);
              } catch (error) {
                expect(error).toMatchObject({ code: "STORE_CONFLICT" });
                seen.set(stream, (await stores[store]!.read(append.stream)).length);
              }
            }
          };
          await Promise.all(writers.map(write));
          const all = (await Promise.all([0, 1, 2].map((stream) => at.store.read(name(stream))))).map((events) => {
            expect(events.map((event) => event.version)).toEqual(events.map((_, i) => i + 1));
            return events.map(({ event }) => (event.data as { step: string }).step);
          });
          expect(all.flat().toSorted()).toEqual(acknowledged.toSorted());
        }),
        { numRuns: 30 },
      );
    });
  });
}

const SLOTS = { x: 2, y: 1 };
// Accounts are told apart by run, because all rounds share one store.
const demand = (run: string, now: number, limit: number, leaseMs = 1_000) => ({
  node: "node",
  agents: AGENTS.map(({ id, account }) => ({ id, account: `${account}-${run}` })),
  accountSlots: Object.fromEntries(Object.entries(SLOTS).map(([account, slots]) => [`${account}-${run}`, slots])),
  runs: [run],
  limit,
  now,
  leaseMs,
});

async function perform(next: Act, store: Store, run: string, now: number, { queued, held, made }: Model): Promise<number> {
  const isLive = (r: Reservation): boolean => r.until > now;
  switch (next.do) {
    case "enqueue": {
      const id = `${run}/${next.n}#1`;
      await store.commit({ enqueue: [entry(id, { agents: next.agents, affinity: next.affinity })] });
      queued.add(id);
      return now;
    }
    case "reserve": {
      const before = [...held.values()].filter(isLive);
      const got = await store.reserve(demand(run, now, next.limit, next.leaseMs));
      for (const reservation of got) {
        const { entry: taken, agent, account, lease } = reservation;
        const previous = held.get(taken.id);
        expect(queued.has(taken.id)).toBe(true);
        expect(previous === undefined || !isLive(previous)).toBe(true);
        expect(taken.agents).toContain(agent);
        for (const { lease: old } of made.filter(({ lease: other }) => other.key === lease.key))
          expect(lease.epoch).toBeGreaterThan(old.epoch);
        // An extension may bring back a lease after its slot was given away; reserving itself never goes beyond.
        const inUse = [...before, ...got].filter((other) => other.account === account).length;
        expect(inUse).toBeLessThanOrEqual(account.startsWith("x") ? SLOTS.x : SLOTS.y);
      }
      expect(new Set(idsOf(got)).size).toBe(got.length);
      for (const reservation of got) held.set(reservation.entry.id, reservation);
      made.push(...got);
      return now;
    }
    case "wait":
      return now + next.ms;
    default: {
      const reservation = made[made.length - 1 - next.which];
      if (!reservation) return now;
      const { lease } = reservation;
      const id = lease.key;
      const isHeld = held.get(id)?.lease.epoch === lease.epoch;
      if (next.do === "extend") {
        expect(await store.extend([lease], now + 20)).toEqual({ lost: isHeld ? [] : [lease] });
        if (isHeld) held.set(id, { ...reservation, until: now + 20 });
      } else if (next.do === "settle") {
        const settled = await store.commit({ settle: [lease] }).then(
          () => true,
          (error: { code: string }) => (expect(error.code).toBe("STORE_STALE_LEASE"), false),
        );
        expect(settled).toBe(isHeld);
        if (settled) queued.delete(id);
        if (settled) held.delete(id);
      } else if (next.do === "release") {
        await store.release(lease);
        if (isHeld) held.delete(id);
      } else {
        await store.commit({ withdraw: [id] });
        queued.delete(id);
        held.delete(id);
      }
      return now;
    }
  }
}
