import { describe, expect, test } from "vitest";
import type { RunRow } from "../index.ts";
import { asking, entry, fixture, idsOf, type StoreHarness } from "./fixture.ts";

const A = { id: "a", account: "x" };
const B = { id: "b", account: "y" };
const both = ["a", "b"];

export function affinityConformance(harness: StoreHarness): void {
  describe("affinity", () => {
    const at = fixture(harness);

    /** Lets `agent` do a step with the key, and be done with it. */
    const didOne = async (agent: typeof A, affinity: string, runId = "r"): Promise<void> => {
      const id = `${runId}/done-by-${agent.id}-${affinity}#1`;
      await at.store.commit({ enqueue: [entry(id, { agents: [agent.id], affinity })] });
      const [got] = await at.store.reserve(asking({ agents: [agent], runs: [runId] }));
      await at.store.commit({ settle: [got!.lease] });
    };

    test("a step goes before longer and older ones to the agent that did the last one of its key", async () => {
      await didOne(B, "ui");
      await at.store.commit({
        enqueue: [entry("r/long#1", { agents: both, rank: 9 }), entry("r/ui#1", { agents: both, affinity: "ui", enqueuedAt: 900 })],
      });
      const got = await at.store.reserve(asking({ agents: [A, B], limit: 2 }));
      expect(got.map(({ entry: { id }, agent }) => [id, agent])).toEqual([
        ["r/ui#1", "b"],
        ["r/long#1", "a"],
      ]);
    });

    test("but not before one of a higher priority", async () => {
      await didOne(B, "ui");
      await at.store.commit({
        enqueue: [entry("r/ui#1", { agents: both, affinity: "ui" }), entry("r/now#1", { agents: both, priority: 1 })],
      });
      expect(idsOf(await at.store.reserve(asking({ agents: [A, B], limit: 2 })))).toEqual(["r/now#1", "r/ui#1"]);
    });

    test("nobody waits for it: another free agent takes the step, and is preferred from then on", async () => {
      await didOne(B, "ui");
      const ui = [1, 2, 3].map((n) => entry(`r/ui${n}#1`, { agents: both, affinity: "ui", enqueuedAt: n }));
      await at.store.commit({ enqueue: ui });
      const [first] = await at.store.reserve(asking({ agents: [A] }));
      expect([first!.entry.id, first!.agent]).toEqual(["r/ui1#1", "a"]);
      const [second] = await at.store.reserve(asking({ agents: [B, A] }));
      expect([second!.entry.id, second!.agent]).toEqual(["r/ui2#1", "a"]);
      const [third] = await at.store.reserve(asking({ agents: [A, B], accountSlots: { x: 2 } }));
      expect([third!.entry.id, third!.agent]).toEqual(["r/ui3#1", "b"]);
    });

    test("an agent that may not do the step does not get it for having done the last", async () => {
      await didOne(A, "ui");
      await at.store.commit({ enqueue: [entry("r/ui#2", { agents: ["b"], affinity: "ui" })] });
      const [got] = await at.store.reserve(asking({ agents: [A, B] }));
      expect(got!.agent).toBe("b");
    });

    test("one run's habits are nothing to another, and end with the run", async () => {
      await didOne(B, "ui");
      await at.store.commit({ enqueue: [entry("q/ui#1", { agents: both, affinity: "ui" })] });
      expect((await at.store.reserve(asking({ agents: [A, B] })))[0]!.agent).toBe("a");
      const row: RunRow = {
        runId: "r",
        project: "/p",
        pipeline: "p",
        branch: "b",
        base: "c",
        status: "succeeded",
        stepsTotal: 1,
        stepsDone: 1,
        startedAt: 1,
        endedAt: 2,
      };
      await at.store.commit({ projections: [{ kind: "run", row }], enqueue: [entry("r/ui#9", { agents: both, affinity: "ui" })] });
      expect(idsOf(await at.store.reserve(asking({ agents: [A, B] })))).toEqual(["r/ui#9"]);
    });

    test("the agent that did the key within the same request is preferred for the rest of it", async () => {
      await at.store.commit({
        enqueue: [
          entry("r/1#1", { agents: ["b"], affinity: "ui", rank: 9 }),
          entry("r/2#1", { agents: both, rank: 8 }),
          entry("r/3#1", { agents: both, affinity: "ui" }),
        ],
      });
      const got = await at.store.reserve(asking({ agents: [A, B], limit: 3 }));
      expect(got.map(({ entry: { id }, agent }) => [id, agent])).toEqual([
        ["r/1#1", "b"],
        ["r/3#1", "b"],
        ["r/2#1", "a"],
      ]);
    });
  });
}
