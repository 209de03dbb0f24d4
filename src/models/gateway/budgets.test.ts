import fc from "fast-check";
import { expect, test } from "vitest";
import { BudgetBook } from "./budgets.ts";
import { ask, bodyOf, chunks, gateway, scripted, spec, tempHome } from "./gateway.testkit.ts";
import { readSpool } from "./spool.ts";

test("whatever calls begin and end in whatever order, what is spent and reserved never passes a limit", () => {
  const ids = ["run", "step", "other"];
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 500 }), { minLength: 3, maxLength: 3 }),
      fc.array(
        fc.oneof(
          fc.record({ kind: fc.constant("begin" as const), budgets: fc.subarray(ids), amount: fc.integer({ min: 0, max: 200 }) }),
          fc.record({ kind: fc.constant("end" as const), which: fc.nat(), share: fc.double({ min: 0, max: 1, noNaN: true }) }),
        ),
        { maxLength: 60 },
      ),
      (limits, actions) => {
        const book = new BudgetBook();
        ids.forEach((id, i) => book.open({ id, limit: limits[i] ?? 0, spent: 0 }));
        const open: { budgets: string[]; amount: number }[] = [];
        let spent = 0;
        for (const action of actions) {
          if (action.kind === "begin") {
            const before = action.budgets.map((id) => book.look(id));
            const refused = book.reserve(action.budgets, action.amount);
            if (refused) expect(action.budgets.map((id) => book.look(id))).toEqual(before);
            else open.push(action);
          } else {
            const [call] = open.splice(action.which % (open.length || 1), 1);
            if (!call) continue;
            book.settle(call.budgets, call.amount, Math.floor(call.amount * action.share));
            spent += Math.floor(call.amount * action.share);
          }
          for (const id of ids) {
            const account = book.look(id);
            expect(account.spent + account.reserved).toBeLessThanOrEqual(account.limit);
            expect(account.reserved).toBe(open.filter((c) => c.budgets.includes(id)).reduce((sum, c) => sum + c.amount, 0));
          }
        }
        for (const call of open) book.settle(call.budgets, call.amount, 0);
        for (const id of ids) expect(book.look(id).reserved).toBe(0);
        expect(book.look("run").spent).toBeLessThanOrEqual(spent);
      },
    ),
  );
});

test("concurrent calls of two attempts never reserve more than the budget they share", async () => {
  const home = await tempHome();
  const model = await scripted({ rules: [{ answer: { text: "yes", chunkDelayMs: 30 } }] });
  const client = await gateway({ home });
  const limit = 9_000;
  const budgets = [{ id: "run:run1", limit, spent: 0 }];
  const keys = [await client.openKey(spec(model, { budgets })), await client.openKey(spec(model, { budgets, attempt: "run1/test#1" }))];
  const answers = await Promise.all(
    Array.from({ length: 24 }, async (_, i) => {
      const response = await ask(keys[i % 2]!, { stream: true });
      return { status: response.status, text: await response.text() };
    }),
  );
  const refused = answers.filter((a) => a.status === 402);
  expect(answers.filter((a) => a.status === 200)).toHaveLength(24 - refused.length);
  // A call reserves 2,000 for its output and a little for its input: four of them fit into 9,000 at a time.
  expect(refused.length).toBeGreaterThan(0);
  const { error } = JSON.parse(refused[0]?.text ?? "{}");
  expect(error).toMatchObject({ type: "budget_exhausted", code: "budget_exhausted" });
  expect(error.message).toMatch(/^The budget run:run1 cannot carry this call: it may cost up to \$0\.00\d+; of \$0\.0090/);
  expect(model.served()).toHaveLength(24 - refused.length);

  const usage = await Promise.all(keys.map((key) => client.closeKey(key.key)));
  // The spool tells in which order it happened: at no point was more reserved and spent than the limit.
  let held = 0;
  let spent = 0;
  let most = 0;
  for (const { record } of readSpool(client.spool).records) {
    if (record.type === "reserved") held += record.microUsd;
    else {
      held -= record.reservedMicroUsd;
      spent += record.microUsd;
    }
    most = Math.max(most, held + spent);
  }
  expect(held).toBe(0);
  expect(most).toBeLessThanOrEqual(limit);
  expect(most).toBeGreaterThan(8_000);
  expect(usage.reduce((sum, u) => sum + u.calls, 0)).toBe(24 - refused.length);
  expect(usage.reduce((sum, u) => sum + u.microUsd, 0)).toBe(spent);
  expect(usage.find((u) => u.exhausted)?.exhausted).toMatchObject({ id: "run:run1", limit });
});

test("a budget counts what the ledger knew and what was spent before, and a raised one lets calls through", async () => {
  const home = await tempHome();
  const model = await scripted({ rules: [{ answer: { text: "yes", usage: { promptTokens: 100, completionTokens: 450 } } }] });
  const client = await gateway({ home });
  const open = (limit: number, spent: number) => client.openKey(spec(model, { budgets: [{ id: "step:run1/build", limit, spent }] }));
  const first = await open(6_000, 3_500);
  expect((await ask(first, {})).status).toBe(200); // now at 4,500
  expect((await ask(first, {})).status).toBe(402);
  await client.closeKey(first.key);
  // The ledger was not brought up to date: the gateway's own count is larger and wins.
  const second = await open(6_000, 3_500);
  expect((await ask(second, {})).status).toBe(402);
  expect((await client.closeKey(second.key)).exhausted).toEqual({ id: "step:run1/build", limit: 6_000, spent: 4_500, needed: 2_017 });
  const third = await open(8_000, 3_500);
  expect((await ask(third, {})).status).toBe(200);
  expect(model.served()).toHaveLength(2);
});

test("without a price nothing goes out under a budget; without a budget it does, and a local model is free", async () => {
  const home = await tempHome();
  const model = await scripted({ rules: [{ answer: { text: "yes" } }] });
  const client = await gateway({ home });
  const budgets = [{ id: "run:run1", limit: 1_000_000, spent: 0 }];
  const unpriced = await client.openKey(spec(model, { budgets, upstream: { price: undefined } }));
  const refusal = await ask(unpriced, {});
  expect(refusal.status).toBe(402);
  expect((await bodyOf(refusal)).error).toMatchObject({ type: "budget_exhausted", code: "model_without_price" });
  expect(model.served()).toHaveLength(0);
  expect(await client.closeKey(unpriced.key)).toMatchObject({ calls: 0, upstreamError: expect.stringContaining("No price is known") });
  const free = await client.openKey(spec(model, { upstream: { price: undefined } }));
  expect((await ask(free, {})).status).toBe(200);
  const local = { input: 0, cachedInput: 0, output: 0, source: "local" as const };
  const zero = await client.openKey(spec(model, { budgets: [{ id: "run:zero", limit: 0, spent: 0 }], upstream: { price: local } }));
  await chunks(await ask(zero, { stream: true }));
  expect(await client.closeKey(zero.key)).toMatchObject({ calls: 1, microUsd: 0, provenance: "reported" });
});
