import { setTimeout as sleep } from "node:timers/promises";
import fc from "fast-check";
import { expect, test } from "vitest";
import { BudgetBook, chargedTo, heldAt } from "./budgets.ts";
import { ask, bodyOf, chunks, endProcess, gateway, scripted, spec, tempHome, until } from "./gateway.testkit.ts";
import { readSpool } from "./spool.ts";

/** Two runs of two steps with two attempts each, all under one fleet and one project; each attempt by its limits, some of them narrower. */
const attempts = ["r1/a#1", "r1/a#2", "r1/b/0#1", "r1/b/1#1", "r2/a#1", "r2/b#1"].map((attempt) => {
  const [runId, path] = [attempt.slice(0, 2), attempt.slice(3, attempt.indexOf("#"))];
  const groups = path.split("/").map((_, i, names) => `step:${runId}/${names.slice(0, i + 1).join("/")}`);
  return { runId, attempt, ids: ["fleet:ever", "project:p:ever", `run:${runId}`, ...groups, `attempt:${attempt}`] };
});
const allIds = [...new Set(attempts.flatMap((a) => a.ids))];

test("in a tree of budgets, whatever begins and ends in whatever order: at every reservation what is spent and reserved is within every limit that holds it", () => {
  fc.assert(
    fc.property(
      fc.array(fc.option(fc.integer({ min: 0, max: 1_500 }), { nil: undefined }), { minLength: allIds.length, maxLength: allIds.length }),
      fc.array(
        fc.oneof(
          {
            weight: 3,
            arbitrary: fc.record({
              kind: fc.constant("begin" as const),
              which: fc.nat(attempts.length - 1),
              amount: fc.integer({ min: 0, max: 300 }),
            }),
          },
          // Providers count up to twice the input that we did.
          {
            weight: 2,
            arbitrary: fc.record({ kind: fc.constant("end" as const), which: fc.nat(), share: fc.double({ min: 0, max: 2, noNaN: true }) }),
          },
          {
            weight: 1,
            arbitrary: fc.record({
              kind: fc.constant("raise" as const),
              which: fc.nat(allIds.length - 1),
              by: fc.integer({ min: 1, max: 400 }),
            }),
          },
        ),
        { maxLength: 80 },
      ),
      (given, actions) => {
        const limits = new Map(allIds.flatMap((id, i) => (given[i] === undefined ? [] : [[id, given[i]] as const])));
        const book = new BudgetBook();
        const open: { charged: string[]; amount: number }[] = [];
        const spent = new Map<string, number>();
        const agree = (): void => limits.forEach((limit, id) => book.open({ id, limit, spent: 0 }));
        agree();
        for (const action of actions) {
          if (action.kind === "raise") {
            const id = allIds[action.which] ?? "";
            const limit = limits.get(id);
            if (limit !== undefined) limits.set(id, limit + action.by);
            agree();
          } else if (action.kind === "begin") {
            const { runId, attempt, ids } = attempts[action.which]!;
            const held = ids.flatMap((id) => (limits.has(id) ? [{ id, limit: limits.get(id)! }] : []));
            const charged = chargedTo({ budgets: held.map((h) => h.id), runId, attempt, project: "p", at: 0 });
            expect(charged).toEqual(expect.arrayContaining(ids));
            const before = allIds.map((id) => book.look(id));
            const refused = book.reserve(held, charged, action.amount);
            if (refused) {
              // All or nothing: what is refused has taken nothing, and says truly why.
              expect(allIds.map((id) => book.look(id))).toEqual(before);
              const { spent: used, reserved } = book.look(refused.id);
              expect(used + reserved + action.amount).toBeGreaterThan(limits.get(refused.id)!);
              continue;
            }
            open.push({ charged, amount: action.amount });
            for (const id of ids) {
              const { spent: used, reserved } = book.look(id);
              expect(used + reserved, id).toBeLessThanOrEqual(limits.get(id) ?? Infinity);
            }
          } else {
            const [call] = open.splice(action.which % (open.length || 1), 1);
            if (!call) continue;
            const cost = Math.floor(call.amount * action.share);
            book.settle(call.charged, call.amount, cost);
            for (const id of call.charged) spent.set(id, (spent.get(id) ?? 0) + cost);
          }
          // Every account knows what was spent below it, with a limit or without, and what calls under way hold.
          for (const id of allIds) {
            const of = open.filter((c) => c.charged.includes(id));
            expect(book.look(id)).toMatchObject({ spent: spent.get(id) ?? 0, reserved: of.reduce((sum, c) => sum + c.amount, 0) });
          }
        }
      },
    ),
  );
});

test("concurrent calls of attempts in two runs: none starts unreserved, no limit of the tree is passed, and what only calls under way keep waiting goes out later", async () => {
  const home = await tempHome();
  const model = await scripted({ rules: [{ answer: { text: "yes", chunkDelayMs: 30 } }] });
  const client = await gateway({ home });
  const limits = { fleet: 9_000, project: 8_500, run1: 6_500 };
  const shared = [
    { id: "fleet:ever", limit: limits.fleet, spent: 0 },
    { id: "project:p:ever", limit: limits.project, spent: 0 },
  ];
  const open = (runId: string, path: string, more: { id: string; limit: number; spent: number }[]) =>
    client.openKey(spec(model, { runId, attempt: `${runId}/${path}#1`, project: "p", budgets: [...shared, ...more] }));
  const run1 = [{ id: "run:run1", limit: limits.run1, spent: 0 }];
  const keys = [
    await open("run1", "build", [...run1, { id: "attempt:run1/build#1", limit: 4_100, spent: 0 }]),
    await open("run1", "test", run1),
    await open("run2", "build", []),
  ];
  const answers = await Promise.all(
    Array.from({ length: 24 }, async (_, i) => {
      const response = await ask(keys[i % 3]!, { stream: true });
      return { status: response.status, text: await response.text() };
    }),
  );
  // A call reserves 2,000 for its output and a little for its input, and costs some 20: one after the other they all fit.
  expect(answers.map((a) => a.status)).toEqual(answers.map(() => 200));
  // What costs more than is left at all is told at once.
  const refusal = await ask(await open("run3", "big", [{ id: "run:run3", limit: 1_000, spent: 0 }]), {});
  expect(refusal.status).toBe(402);
  const { error } = await bodyOf(refusal);
  expect(error).toMatchObject({ type: "budget_exhausted", code: "budget_exhausted" });
  expect(error.message).toMatch(/^The budget run:run3 cannot carry this call: it may cost up to \$0\.00\d+; of \$0\.0010/);
  expect(model.served()).toHaveLength(24);

  const usage = await Promise.all(keys.map((key) => client.closeKey(key.key)));
  // The spool tells in which order it happened: at no point was more reserved and spent than a limit of the tree.
  const held = new Map<string, number>();
  const most = new Map<string, number>();
  const reserved = new Set<string>();
  for (const { record } of readSpool(client.spool).records) {
    if (record.type === "reserved") reserved.add(record.callId);
    else if (record.outcome !== "refused") expect(reserved.has(record.callId)).toBe(true);
    const change = record.type === "reserved" ? record.microUsd : record.microUsd - record.reservedMicroUsd;
    for (const id of chargedTo(record)) {
      held.set(id, (held.get(id) ?? 0) + change);
      most.set(id, Math.max(most.get(id) ?? 0, held.get(id) ?? 0));
    }
  }
  expect(most.get("fleet:ever")).toBe(most.get("project:p:ever"));
  expect(most.get("project:p:ever")).toBeLessThanOrEqual(limits.project);
  expect(most.get("project:p:ever")).toBeGreaterThan(6_500);
  expect(most.get("run:run1")).toBeLessThanOrEqual(limits.run1);
  expect(most.get("attempt:run1/build#1")).toBeLessThanOrEqual(4_100);
  expect(usage.reduce((sum, u) => sum + u.calls, 0)).toBe(24);
  expect(usage.reduce((sum, u) => sum + u.microUsd, 0)).toBe(held.get("fleet:ever"));
  expect(usage.some((u) => u.exhausted)).toBe(false);
});

test("a call that waits for room ends with its attempt, and reserves nothing then", async () => {
  const home = await tempHome();
  const model = await scripted({ rules: [{ answer: { text: "slowly ".repeat(40), chunkDelayMs: 50 } }] });
  const client = await gateway({ home });
  const budgets = [{ id: "run:run1", limit: 3_000, spent: 0 }];
  const [slow, waits] = [
    await client.openKey(spec(model, { budgets })),
    await client.openKey(spec(model, { budgets, attempt: "run1/test#1" })),
  ];
  const first = ask(slow, { stream: true });
  await until(() => model.served().length === 1);
  const second = ask(waits, { stream: true }).then((r) => r.status);
  await sleep(200);
  expect(await client.closeKey(waits.key)).toMatchObject({ calls: 0 });
  expect(await second).not.toBe(200);
  expect(await client.closeKey(slow.key)).toMatchObject({ calls: 1 });
  await (await first).text().catch(() => undefined);
  expect(model.served()).toHaveLength(1);
});

test("a limit of a period holds the calls of that period, and the next one begins at nothing", () => {
  const book = new BudgetBook();
  const [today, tomorrow] = [Date.parse("2026-11-21T23:59:00Z"), Date.parse("2026-11-22T00:01:00Z")];
  const budgets = [{ id: "fleet:day/2026-11-21", limit: 100, spent: 40 }];
  for (const budget of budgets) book.open(budget);
  const reserve = (at: number, amount: number) => {
    const held = heldAt(budgets, at);
    return book.reserve(held, chargedTo({ budgets: held.map((h) => h.id), runId: "r", attempt: "r/a#1", at }), amount);
  };
  expect(reserve(today, 60)).toBeUndefined();
  expect(reserve(today, 1)).toMatchObject({ id: "fleet:day/2026-11-21", spent: 40, reserved: 60 });
  expect(reserve(tomorrow, 100)).toBeUndefined();
  expect(reserve(tomorrow, 1)).toMatchObject({ id: "fleet:day/2026-11-22", spent: 0, reserved: 100 });
});

test("a limit that is set later knows what was spent before, also at a gateway that was started since", async () => {
  const home = await tempHome();
  const model = await scripted({ rules: [{ answer: { text: "yes", usage: { promptTokens: 100, completionTokens: 450 } } }] });
  const client = await gateway({ home });
  const free = await client.openKey(spec(model, { project: "p" }));
  expect((await ask(free, {})).status).toBe(200); // 1,000
  await client.closeKey(free.key);
  await client.disconnect();
  await endProcess(client.pid);
  const next = await gateway({ home });
  const held = await next.openKey(
    spec(model, { runId: "run2", attempt: "run2/a#1", project: "p", budgets: [{ id: "project:p:ever", limit: 2_900, spent: 0 }] }),
  );
  expect((await ask(held, {})).status).toBe(402);
  expect((await next.closeKey(held.key)).exhausted).toMatchObject({ id: "project:p:ever", spent: 1_000 });
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
  // 17 tokens of input by our estimate, and 100 as the provider has counted it before.
  expect((await client.closeKey(second.key)).exhausted).toEqual({ id: "step:run1/build", limit: 6_000, spent: 4_500, needed: 2_100 });
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
