import { describe, expect, test } from "vitest";
import { completed, entry, fixture, refusal, steps, type StoreHarness } from "./fixture.ts";

export function journalConformance(harness: StoreHarness): void {
  describe("the journal", () => {
    const at = fixture(harness);

    test("a stream counts its events from 1, the journal counts all of them", async () => {
      const first = await at.store.commit({ appends: [{ stream: "run:1", expected: 0, events: steps(2) }] });
      const second = await at.store.commit({ appends: [{ stream: "run:2", expected: 0, events: steps(1) }] });
      const third = await at.store.commit({ appends: [{ stream: "run:1", expected: 2, events: steps(1, 3) }] });
      expect([first, second, third].map((done) => done.versions)).toEqual([{ "run:1": 2 }, { "run:2": 1 }, { "run:1": 3 }]);
      expect((await at.store.read("run:1")).map((event) => event.version)).toEqual([1, 2, 3]);
      const all = await at.store.readAll();
      expect(all.map((event) => event.stream)).toEqual(["run:1", "run:1", "run:2", "run:1"]);
      expect(all.map((event) => event.globalSeq)).toEqual(all.map((event) => event.globalSeq).toSorted((a, b) => a - b));
      expect(all.at(-1)!.globalSeq).toBe(third.globalSeq);
    });

    test("what is read is what was written", async () => {
      const finding = { gate: "tests", message: "l'été — 日本 🙂 \0 \u2028", evidence: '"quoted"\n\t\\' };
      const data = { step: "build", because: "because", findings: [finding] };
      const written = { event: { type: "StepFailed" as const, data }, at: 1_790_000_000_123, actor: "cli:ada", cause: "r/build#1" };
      const { globalSeq } = await at.store.commit({ appends: [{ stream: "run:1", expected: 0, events: [written, completed("x")] }] });
      const [event, next] = await at.store.read("run:1");
      expect(event).toEqual({ globalSeq: globalSeq - 1, stream: "run:1", version: 1, schemaVersion: 1, ...written });
      expect(next!.cause).toBeUndefined();
    });

    test("a stream at another version is a conflict, and nothing of the commit is written", async () => {
      await at.store.commit({ appends: [{ stream: "run:1", expected: 0, events: steps(1) }] });
      const refused = at.store.commit({
        appends: [
          { stream: "run:2", expected: 0, events: steps(1) },
          { stream: "run:1", expected: 0, events: steps(1) },
        ],
        enqueue: [entry("1/a#1")],
        timers: { set: [{ id: "t", runId: "1", at: 0 }] },
        projections: [{ kind: "offset", key: "spool", value: 7 }],
      });
      await expect(refused).rejects.toEqual(refusal("STORE_CONFLICT"));
      expect(await at.store.read("run:2")).toEqual([]);
      expect(await at.store.queueStats()).toMatchObject({ queued: 0 });
      expect(await at.store.dueTimers(9_999, 10)).toEqual([]);
      expect(await at.store.offset("spool")).toBe(0);
    });

    test("a stream that must not exist yet must not, and one that must exist must", async () => {
      const missing = at.store.commit({ appends: [{ stream: "run:1", expected: 3, events: steps(1) }] });
      await expect(missing).rejects.toEqual(refusal("STORE_CONFLICT"));
    });

    test("of many who append to the same version at once exactly one gets through, and strangers are not disturbed", async () => {
      const other = await at.another();
      const rivals = Array.from({ length: 20 }, (_, i) =>
        (i % 2 ? at.store : other).commit({ appends: [{ stream: "run:1", expected: 0, events: [completed(`rival${i}`)] }] }),
      );
      const strangers = Array.from({ length: 20 }, (_, i) =>
        at.store.commit({ appends: [{ stream: `run:s${i}`, expected: 0, events: steps(1) }] }),
      );
      const settled = await Promise.allSettled(rivals);
      expect(settled.filter((done) => done.status === "fulfilled")).toHaveLength(1);
      expect(settled.filter((done) => done.status === "rejected" && done.reason.code === "STORE_CONFLICT")).toHaveLength(19);
      expect(await Promise.all(strangers)).toHaveLength(20);
      expect(await at.store.read("run:1")).toHaveLength(1);
    });

    test("a commit without events says where the journal stands", async () => {
      const { globalSeq } = await at.store.commit({ appends: [{ stream: "run:1", expected: 0, events: steps(3) }] });
      expect(await at.store.commit({})).toEqual({ versions: {}, globalSeq });
    });

    test("reading goes on after a version and stops at a limit, also in a long stream", async () => {
      const count = 2_345;
      await at.store.commit({ appends: [{ stream: "run:1", expected: 0, events: steps(count) }] });
      const versions = async (options?: { after?: number; limit?: number }) =>
        (await at.store.read("run:1", options)).map((event) => event.version);
      expect(await versions()).toEqual(Array.from({ length: count }, (_, i) => i + 1));
      expect(await versions({ after: 2_340 })).toEqual([2_341, 2_342, 2_343, 2_344, 2_345]);
      expect(await versions({ after: 10, limit: 3 })).toEqual([11, 12, 13]);
      expect(await versions({ limit: 1_500 })).toHaveLength(1_500);
      expect(await versions({ limit: 0 })).toEqual([]);
      expect(await at.store.read("run:nobody")).toEqual([]);
    });

    test("reading everything goes on after a number, stops at a limit, and can pick types", async () => {
      await at.store.commit({ appends: [{ stream: "run:1", expected: 0, events: steps(1_500) }] });
      const cancel = { event: { type: "CancelRequested" as const, data: {} }, at: 1, actor: "cli:ada" };
      await at.store.commit({ appends: [{ stream: "run:2", expected: 0, events: [cancel, ...steps(1_500)] }] });
      const all = await at.store.readAll();
      expect(all).toHaveLength(3_001);
      expect(await at.store.readAll({ after: all[99]!.globalSeq, limit: 1_200 })).toEqual(all.slice(100, 1_300));
      expect(await at.store.readAll({ types: ["CancelRequested"] })).toEqual([all[1_500]]);
      expect(await at.store.readAll({ types: ["CancelRequested"], after: all[1_500]!.globalSeq })).toEqual([]);
      expect(await at.store.readAll({ types: ["StepCompleted"], limit: 1_501 })).toHaveLength(1_501);
    });

    test("what was committed is there for another process, and after everything was closed", async () => {
      await at.store.commit({ appends: [{ stream: "run:1", expected: 0, events: steps(2) }] });
      const other = await at.another();
      expect(await other.read("run:1")).toHaveLength(2);
      await Promise.all([at.store.close(), other.close()]);
      expect(await (await at.another()).read("run:1")).toHaveLength(2);
    });

    test("closing waits for what was asked before and refuses what comes after", async () => {
      const before = Array.from({ length: 5 }, (_, i) =>
        at.store.commit({ appends: [{ stream: `run:${i}`, expected: 0, events: steps(1) }] }),
      );
      const closing = at.store.close();
      await expect(at.store.commit({})).rejects.toEqual(refusal("STORE_CLOSED"));
      expect(await Promise.all(before)).toHaveLength(5);
      await closing;
      await at.store.close();
      await expect(at.store.read("run:1")).rejects.toEqual(refusal("STORE_CLOSED"));
      expect(await (await at.another()).readAll()).toHaveLength(5);
    });
  });
}
