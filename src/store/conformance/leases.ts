import { describe, expect, test } from "vitest";
import type { Acquired, LeaseRef } from "../index.ts";
import { asking, completed, entry, fixture, idsOf, refusal, type StoreHarness } from "./fixture.ts";

const granted = (acquired: Acquired): LeaseRef => {
  if (!acquired.ok) throw new Error(`held by ${acquired.heldBy.holder}`);
  return acquired.lease;
};

export function leaseConformance(harness: StoreHarness): void {
  describe("leases", () => {
    const at = fixture(harness);
    const acquire = (holder: string, now: number, more: { key?: string; breakEpoch?: number } = {}) =>
      at.store.acquire({ key: "run:r", holder, now, until: now + 1_000, ...more });

    test("one holder at a time; the refusal says who holds it and until when", async () => {
      const lease = granted(await acquire("one", 0));
      expect(await acquire("two", 999)).toEqual({ ok: false, heldBy: { ...lease, holder: "one", until: 1_000 } });
      expect(await (await at.another()).leases("run:")).toEqual([{ ...lease, holder: "one", until: 1_000 }]);
    });

    test("it is free again when it is given back, has run out, is asked for by its holder, or is broken at its epoch", async () => {
      const epochs = [granted(await acquire("one", 0)).epoch];
      await at.store.release({ key: "run:r", epoch: epochs[0]! });
      epochs.push(granted(await acquire("two", 10)).epoch);
      epochs.push(granted(await acquire("three", 1_011)).epoch);
      epochs.push(granted(await acquire("three", 1_012)).epoch);
      expect(await acquire("four", 1_013, { breakEpoch: epochs[2]! })).toMatchObject({ ok: false });
      epochs.push(granted(await acquire("four", 1_013, { breakEpoch: epochs[3]! })).epoch);
      // Every epoch is higher than the one before, for ever.
      expect(epochs).toEqual([...new Set(epochs)].toSorted((a, b) => a - b));
      expect(epochs).toHaveLength(5);
    });

    test("a stale release is ignored", async () => {
      const old = granted(await acquire("one", 0));
      const current = granted(await acquire("two", 5_000));
      await at.store.release(old);
      expect(await at.store.leases("run:r")).toMatchObject([current]);
    });

    test("an extended lease lasts longer, a lost one is answered", async () => {
      const lease = granted(await acquire("one", 0));
      const lost = { key: "run:other", epoch: 1 };
      expect(await at.store.extend([lease, lost, { ...lease, epoch: lease.epoch + 1 }], 7_000)).toEqual({
        lost: [lost, { ...lease, epoch: lease.epoch + 1 }],
      });
      expect(await acquire("two", 6_999)).toMatchObject({ ok: false, heldBy: { until: 7_000 } });
      expect(await acquire("two", 7_001)).toMatchObject({ ok: true });
    });

    test("a commit fenced by a lease that was taken over writes nothing", async () => {
      const mine = granted(await acquire("one", 0));
      const commit = (expected: number) => ({
        appends: [{ stream: "run:r", expected, events: [completed("s")] }],
        enqueue: [entry(`r/${expected}#1`)],
        fence: [mine],
      });
      await at.store.commit(commit(0));
      const theirs = granted(await acquire("two", 2_000));
      await expect(at.store.commit(commit(1))).rejects.toEqual(refusal("STORE_STALE_LEASE"));
      await expect(at.store.commit({ fence: [{ key: "run:nobody", epoch: 1 }] })).rejects.toEqual(refusal("STORE_STALE_LEASE"));
      expect(await at.store.read("run:r")).toHaveLength(1);
      expect(await at.store.queueStats()).toMatchObject({ queued: 1 });
      await at.store.commit({ ...commit(1), fence: [theirs] });
    });

    test("leases are listed by prefix, also those that ran out and nobody took", async () => {
      for (const key of ["run:a", "run:ab", "run:b", "fleet"]) await acquire("one", 0, { key });
      expect((await at.store.leases("run:a")).map(({ key }) => key)).toEqual(["run:a", "run:ab"]);
      expect(await at.store.leases("")).toHaveLength(4);
      expect(await at.store.leases("run:c")).toEqual([]);
    });

    test("an attempt can be taken over as it is: its agent and slot stay, its old holder is fenced off", async () => {
      await at.store.commit({ enqueue: [entry("r/1#1"), entry("r/2#1", { enqueuedAt: 200 })] });
      const [got] = await at.store.reserve(asking({ node: "dead" }));
      const key = got!.lease.key;
      expect(await acquire("heir", 1_500, { key })).toMatchObject({ ok: false, heldBy: { holder: "dead", agent: "a", runId: "r" } });
      const heir = granted(await acquire("heir", 1_500, { key, breakEpoch: got!.lease.epoch }));
      expect(await at.store.leases("r/")).toEqual([{ ...heir, holder: "heir", until: 2_500, agent: "a", runId: "r" }]);
      expect(await at.store.reserve(asking({ accountSlots: { x: 1 }, now: 2_400 }))).toEqual([]);
      expect(idsOf(await at.store.reserve(asking({ limit: 5, now: 2_400 })))).toEqual(["r/2#1"]);
      await expect(at.store.commit({ settle: [got!.lease] })).rejects.toEqual(refusal("STORE_STALE_LEASE"));
      await at.store.commit({ settle: [heir] });
    });
  });
}
