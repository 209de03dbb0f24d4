import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test, vi } from "vitest";
import { Scene } from "../../src/cli/cli.testkit.ts";
import { openSqliteStore } from "../../src/store/index.ts";
import { thisHolder } from "../../src/setup/identity.ts";
import { keptBy } from "../acceptance/run-journal.testkit.ts";
import { controlOf } from "./controlling.testkit.ts";

vi.setConfig({ testTimeout: 120_000 });

const pipeline = `steps:
  ok: { approve: { title: Ship it? } }
  why: { needs: ok, ask: { question: Why? } }
  done: { needs: why, command: "true", readonly: true, env: { KEY: "\${{ secrets.DEPLOY }}" } }
secrets: [DEPLOY]
`;

test("of two who answer at the same moment one is heard and the other told, and a driver that was about to end is followed by another", async () => {
  await using scene = new Scene({ "p.yaml": pipeline });
  const env = { DEPLOY: "tres-secret-4711" };
  expect((await scene.run(["run", "p.yaml"], { env })).code).toBe(3);
  const { runId } = await keptBy(scene);
  const clock = { now: () => Date.now() };
  await using control = await controlOf(scene, env);
  const store = await openSqliteStore({ file: join(scene.home, "stepfall.db"), clock });
  try {
    // A driver that lives, and does nothing any more.
    const held = await store.acquire({ key: `run:${runId}`, holder: thisHolder(), until: clock.now() + 60_000, now: clock.now() });
    if (!held.ok) throw new Error(`somebody drives it: ${hostname()}`);
    const said = await Promise.allSettled(
      ["web:ann", "web:bob"].map((who) => control.answer(who, `${runId}/ok!1`, { verdict: "approve" })),
    );
    expect(said.map((one) => (one.status === "fulfilled" ? "heard" : (one.reason as { code: string }).code)).toSorted()).toEqual([
      "ITEM_CLOSED",
      "heard",
    ]);
    expect((await keptBy(scene)).of("InboxAnswered")).toHaveLength(1);
    await sleep(700);
    await store.release(held.lease);
  } finally {
    await store.close();
  }
  for (let left = 400; left > 0 && (await keptBy(scene)).of("InboxOpened").length < 2; left--) await sleep(100);
  // What people write may hold a secret that only the pipeline names.
  await control.answer("web:ann", `${runId}/why!1`, { verdict: "answer", text: `it is ${env.DEPLOY}` });
  expect(await control.wait(runId, { timeoutMs: 60_000 })).toEqual({ kind: "over", outcome: "succeeded" });
  const kept = await keptBy(scene);
  expect(kept.of("InboxAnswered").map(({ data }) => data.text)).toEqual([undefined, "it is ***"]);
  expect(JSON.stringify(kept.events)).not.toContain(env.DEPLOY);
});

test("what a person types for a reason at the command line is masked before it is recorded", async () => {
  await using scene = new Scene({ "p.yaml": pipeline });
  const env = { DEPLOY: "tres-secret-4711" };
  expect((await scene.run(["run", "p.yaml"], { env })).code).toBe(3);
  expect((await scene.run(["reject", "ok!1", `no, ${env.DEPLOY} leaks`], { env })).code).toBe(0);
  expect((await scene.run(["cancel", "--reason", `since ${env.DEPLOY} leaks`], { env })).code).toBe(0);
  const kept = await keptBy(scene);
  expect([kept.of("InboxAnswered")[0]?.data.text, kept.of("CancelRequested")[0]?.data.reason]).toEqual([
    "no, *** leaks",
    "since *** leaks",
  ]);
});
