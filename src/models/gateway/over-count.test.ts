import { expect, test } from "vitest";
import { ask, gateway, scripted, spec, tempHome } from "./gateway.testkit.ts";
import { OverCount } from "./over-count.ts";
import { readSpool } from "./spool.ts";

test("what a provider counts beyond our estimate is reserved for the model's next calls, so that they do not pass their reservation", async () => {
  const home = await tempHome();
  const model = await scripted({ rules: [{ answer: { text: "yes", usage: { promptTokens: 5_000, completionTokens: 900 } } }] });
  const client = await gateway({ home });
  const limit = 20_000;
  const key = await client.openKey(spec(model, { budgets: [{ id: "run:run1", limit, spent: 0 }] }));
  let calls = 0;
  while ((await ask(key, {})).status === 200 && calls < 20) calls += 1;
  const settled = readSpool(client.spool).records.flatMap(({ record }) =>
    record.type === "settled" && record.outcome === "ok" ? [record] : [],
  );
  // Only of the first was nothing known.
  expect(settled.map((c) => c.microUsd <= c.reservedMicroUsd)).toEqual([false, ...settled.slice(1).map(() => true)]);
  expect((await client.closeKey(key.key)).microUsd).toBeLessThanOrEqual(limit);
  expect(calls).toBe(2);
});

test("it remembers the largest of the last calls, by model", () => {
  const over = new OverCount();
  over.saw("p/m", 10, 500);
  over.saw("p/m", 10, 5);
  expect([over.of("p/m"), over.of("p/other")]).toEqual([490, 0]);
  for (let i = 0; i < 32; i++) over.saw("p/m", 10, 12);
  expect(over.of("p/m")).toBe(2);
});
