import { describe, expect, test } from "vitest";
import type { InboxRow } from "../index.ts";
import { completed, fixture, refusal, type StoreHarness } from "./fixture.ts";

const row = (item: string, more: Partial<InboxRow> = {}): InboxRow => ({
  item,
  runId: "r",
  step: "deploy",
  kind: "approval",
  title: "Deploy?",
  choices: ["approve", "reject"],
  who: [],
  openedAt: 100,
  ...more,
});

export function inboxConformance(harness: StoreHarness): void {
  describe("the inbox", () => {
    const at = fixture(harness);
    const items = async (runId?: string): Promise<string[]> =>
      (await at.store.listInbox(runId === undefined ? {} : { runId })).map(({ item }) => item);

    test("a row comes back as it was put in, every kind of it", async () => {
      const kinds = ["approval", "question", "permission", "budget", "conflict"] as const;
      const rows = kinds.map((kind, i) => row(`r/${kind}`, { kind, openedAt: i }));
      const full = row("r/full", {
        detail: "line 1\nline 2",
        choices: ['a "quoted" one', ""],
        who: ["ann", "bob"],
        openedAt: 5_000_000_000_000,
        expiresAt: 5_000_000_000_001,
        attempt: "r/deploy#2",
      });
      await at.store.commit({ projections: [{ kind: "inbox", put: [full, ...rows] }] });
      expect(await (await at.another()).listInbox()).toEqual([...rows, full]);
    });

    test("oldest first, of all runs or of one", async () => {
      expect(await items()).toEqual([]);
      const put = [row("b", { openedAt: 2 }), row("c", { openedAt: 2 }), row("a", { openedAt: 3 }), row("q", { runId: "q", openedAt: 1 })];
      await at.store.commit({ projections: [{ kind: "inbox", put }] });
      expect(await items()).toEqual(["q", "b", "c", "a"]);
      expect(await items("r")).toEqual(["b", "c", "a"]);
      expect(await items("nobody")).toEqual([]);
    });

    test("it stays until it is removed: neither time nor the end of its run does that", async () => {
      await at.store.commit({ projections: [{ kind: "inbox", put: [row("a", { expiresAt: 200 }), row("b")] }] });
      at.now = 999_999;
      const over = { runId: "r", project: "/p", pipeline: "p", branch: "b", base: "c", stepsTotal: 1, stepsDone: 0, startedAt: 1 };
      await at.store.commit({ projections: [{ kind: "run", row: { ...over, status: "cancelled", endedAt: 2 } }] });
      expect(await items()).toEqual(["a", "b"]);
      await at.store.commit({ projections: [{ kind: "inbox", remove: ["a", "unknown"] }] });
      expect(await items()).toEqual(["b"]);
    });

    test("a row that is put again replaces the old one whole; removed and put in one commit it is there", async () => {
      await at.store.commit({ projections: [{ kind: "inbox", put: [row("a", { detail: "old", attempt: "r/deploy#1" })] }] });
      const again = row("a", { title: "Deploy now?" });
      await at.store.commit({ projections: [{ kind: "inbox", put: [again], remove: ["a"] }] });
      expect(await at.store.listInbox()).toEqual([again]);
    });

    test("a commit that is refused opens and closes nothing", async () => {
      await at.store.commit({ projections: [{ kind: "inbox", put: [row("a")] }] });
      const conflict = { stream: "run:r", expected: 7, events: [completed("s")] };
      const refused = at.store.commit({ appends: [conflict], projections: [{ kind: "inbox", put: [row("b")], remove: ["a"] }] });
      await expect(refused).rejects.toEqual(refusal("STORE_CONFLICT"));
      expect(await items()).toEqual(["a"]);
    });
  });
}
