import { expect, test } from "vitest";
import { runStream } from "../domain/index.ts";
import { pipelineOf, readonlyStep, scratchHome, storeOn } from "./engine.testkit.ts";
import { recordResumed } from "./record-resumed.ts";

const clock = { now: (): number => 1_000 };
const by = { actor: "web:ann", by: "ann" };
const started = {
  runId: "r",
  pipeline: pipelineOf(readonlyStep("a")),
  project: "/p",
  base: "0",
  branch: "b",
  agents: [],
  includeDirty: false,
};

test("who had a run go on is recorded once, whoever else writes; not by whom the run was taken from, and not of a run that is over", async () => {
  const home = scratchHome();
  const store = await storeOn(home);
  const other = await storeOn(home);
  const append = (
    at: typeof store,
    expected: number,
    event: { type: "RunFinished"; data: { outcome: "failed" } } | { type: "BudgetLifted"; data: { id: string; because: string } },
  ) => at.commit({ appends: [{ stream: runStream("r"), expected, events: [{ event, at: 1, actor: "cli:bob" }] }] });
  await store.commit({
    appends: [{ stream: runStream("r"), expected: 0, events: [{ event: { type: "RunStarted", data: started }, at: 1, actor: "cli:bob" }] }],
  });
  const first = await store.acquire({ key: "run:r", holder: "x", until: 2_000, now: 1_000 });
  if (!first.ok) throw new Error("it is free");
  // Somebody appends requests all the while.
  const requests = (async () => {
    for (let n = 0; n < 20; n++) {
      const { length } = await other.read(runStream("r"));
      await append(other, length, { type: "BudgetLifted", data: { id: "run:r", because: String(n) } }).catch(() => n--);
    }
  })();
  await recordResumed({ store, clock }, first.lease, "r", by);
  await requests;
  const resumed = async () => (await store.read(runStream("r"))).filter(({ event }) => event.type === "RunResumed");
  expect(await resumed()).toMatchObject([{ actor: "web:ann", at: 1_000, event: { data: { by: "ann" } } }]);

  const second = await store.acquire({ key: "run:r", holder: "y", until: 9_000, now: 5_000 });
  if (!second.ok) throw new Error("it has run out");
  await recordResumed({ store, clock }, first.lease, "r", by);
  await append(store, (await store.read(runStream("r"))).length, { type: "RunFinished", data: { outcome: "failed" } });
  await recordResumed({ store, clock }, second.lease, "r", by);
  expect(await resumed()).toHaveLength(1);
});
