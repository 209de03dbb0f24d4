import { setTimeout as sleep } from "node:timers/promises";
import fc from "fast-check";
import { expect, test } from "vitest";
import { BudgetBook, chargedTo, heldAt } from "./budgets.ts";
import { ask, bodyOf, childrenOf, chunks, endProcess, gateway, scripted, spec, tempHome, until } from "./gateway.testkit.ts";
import { readSpool } from "./spool.ts";

/** Two runs of two steps with two attempts each, all under one fleet and one project; each attempt by its limits, some of them narrower. */
const attempts = ["r1/a#1", "r1/a#2", "r1/b/0#1", "r1/b/1#1", "r2/a#1", "r2/b#1"].map((attempt) => {
  const [runId, path] = [attempt.slice(0, 2), attempt.slice(3, attempt.indexOf("#"))];
  const groups = path.split("/").map((_, i, names) => `step:${runId}/${names.slice(0, i + 1).join("/")}`);
  return { runId, attempt, ids: ["fleet:ever", "project:p:ever", `run:${runId}`, ...groups, `attempt:${attempt}`] };
});
const allIds = [...new Set(attempts.flatMap((a) => a.ids))];

const oneOf = fc.nat(attempts.length - 1);
const actions = fc.array(
  fc.oneof(
    {
      weight: 3,
      arbitrary: fc.record({ kind: fc.constant("begin" as const), which: oneOf, amount: fc.integer({ min: 0, max: 300 }) }),
    },
    {
      weight: 2,
      arbitrary: fc.record({ kind: fc.constant("end" as const), which: fc.nat(), share: fc.double({ min: 0, max: 1, noNaN: true }) }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant("hold" as const),
        which: oneOf,
        amount: fc.integer({ min: 1, max: 600 }),
        force: fc.boolean(),
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("let go" as const), which: oneOf }) },
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
);
const givenLimits = fc.array(fc.option(fc.integer({ min: 0, max: 1_500 }), { nil: undefined }), {
  minLength: allIds.length,
  maxLength: allIds.length,
});

test.each([
  { counts: 1, within: "every limit that holds it" },
  // Providers count up to twice the input that we did.
  { counts: 2, within: "what is known then" },
])(
  "in a tree of budgets, whatever is set aside, begins and ends in whatever order: what is spent and reserved is within $within",
  ({ counts }) => {
    fc.assert(
      fc.property(givenLimits, actions, (given, todo) => {
        const limits = new Map(allIds.flatMap((id, i) => (given[i] === undefined ? [] : [[id, given[i]] as const])));
        const book = new BudgetBook();
        const open: { attempt: string; charged: string[]; amount: number }[] = [];
        const spent = new Map<string, number>();
        const spentOf = (id: string): number => spent.get(id) ?? 0;
        /** Set aside and not spent, by attempt. */
        const aside = new Map<string, number>();
        const callsOf = (attempt: string): number => open.reduce((sum, c) => sum + (c.attempt === attempt ? c.amount : 0), 0);
        const has = (attempt: string): number => Math.max(aside.get(attempt) ?? 0, callsOf(attempt));
        const reservedIn = (id: string): number => attempts.reduce((sum, a) => sum + (a.ids.includes(id) ? has(a.attempt) : 0), 0);
        const agree = (): void => limits.forEach((limit, id) => book.open({ id, limit, spent: 0 }));
        const asks = ({ runId, attempt, ids }: (typeof attempts)[number], amount: number) => {
          const held = ids.flatMap((id) => (limits.has(id) ? [{ id, limit: limits.get(id)! }] : []));
          const charged = chargedTo({ budgets: held.map((h) => h.id), runId, attempt, project: "p", at: 0 });
          expect(charged).toEqual(expect.arrayContaining(ids));
          return { attempt, held, ids: charged, amount };
        };
        const isWithin = (ids: readonly string[]): void => {
          if (counts > 1) return;
          for (const id of ids) expect(spentOf(id) + reservedIn(id), id).toBeLessThanOrEqual(limits.get(id) ?? Infinity);
        };
        agree();
        for (const action of todo) {
          if (action.kind === "raise") {
            const id = allIds[action.which] ?? "";
            const limit = limits.get(id);
            if (limit !== undefined) limits.set(id, limit + action.by);
            agree();
          } else if (action.kind === "begin") {
            const one = attempts[action.which]!;
            const call = asks(one, action.amount);
            const room = ({ id, limit }: { id: string; limit: number }): number =>
              limit - spentOf(id) - (reservedIn(id) - has(one.attempt)) - callsOf(one.attempt);
            const refused = book.reserve(call);
            // Its own share is in nobody's way; nobody waits here, so that all that others hold may become free.
            if (refused) {
              expect(room(refused)).toBeLessThan(action.amount);
              expect(refused.mayFit).toBe(refused.limit - spentOf(refused.id) < action.amount ? undefined : true);
            } else {
              expect(call.held.every((one) => room(one) >= action.amount)).toBe(true);
              open.push({ attempt: one.attempt, charged: call.ids, amount: action.amount });
              isWithin(one.ids);
            }
          } else if (action.kind === "hold") {
            const one = attempts[action.which]!;
            const { attempt } = one;
            const request = asks(one, action.amount);
            const left = request.held.map(({ id, limit }) => limit - spentOf(id));
            const most = Math.min(action.amount, ...left.map((l) => Math.max(0, l)));
            const room = Math.min(Infinity, ...request.held.map(({ id, limit }) => limit - spentOf(id) - reservedIn(id) + has(attempt)));
            const refused = book.hold(request, action.force ? "force" : undefined);
            if (action.force) expect(refused).toBeUndefined();
            if (refused) expect(refused.mayFit).toBe(left.some((l) => l < 1) ? undefined : true);
            else aside.set(attempt, Math.max(0, Math.min(most, room)));
            if (!action.force) expect(refused === undefined).toBe(left.every((l) => l >= 1) && room >= most);
            if (!refused) isWithin(one.ids);
          } else if (action.kind === "let go") {
            const { attempt } = attempts[action.which]!;
            book.letGo(attempt);
            aside.delete(attempt);
          } else {
            const [call] = open.splice(action.which % (open.length || 1), 1);
            if (!call) continue;
            const cost = Math.floor(call.amount * action.share * counts);
            book.settle({ attempt: call.attempt, ids: call.charged, amount: call.amount }, cost);
            for (const id of call.charged) spent.set(id, spentOf(id) + cost);
            aside.set(call.attempt, Math.max(0, (aside.get(call.attempt) ?? 0) - cost));
          }
          // Every account knows what was spent below it, with a limit or without, and what is reserved; what is refused has taken nothing.
          for (const id of allIds) expect(book.look(id)).toMatchObject({ spent: spentOf(id), reserved: reservedIn(id) });
        }
      }),
    );
  },
);

test("two that wait for what the other has set aside do not wait for ever", async () => {
  const book = new BudgetBook();
  const held = [{ id: "run:r", limit: 1_000 }];
  book.open({ id: "run:r", limit: 1_000, spent: 0 });
  const share = (attempt: string) => ({ attempt, held, ids: ["run:r", `attempt:${attempt}`], amount: 500 });
  expect(book.hold(share("r/a#1"))).toBeUndefined();
  expect(book.hold(share("r/b#1"))).toBeUndefined();
  expect(book.hold(share("r/c#1"))).toMatchObject({ id: "run:r", reserved: 1_000, mayFit: true });
  const dear = (attempt: string) => ({ ...share(attempt), amount: 700 });
  // The other may end without having spent its share.
  expect(book.reserve(dear("r/a#1"))).toMatchObject({ mayFit: true });
  const end = new AbortController();
  const first = book.freed(end.signal, "r/a#1");
  const refused = book.reserve(dear("r/b#1"));
  expect(refused).toMatchObject({ id: "run:r", needed: 700 });
  expect(refused?.mayFit).toBeUndefined();
  book.letGo("r/b#1");
  await first;
  expect(book.reserve(dear("r/a#1"))).toBeUndefined();
  expect(book.look("run:r")).toMatchObject({ reserved: 700 });
});

test("money is set aside before an attempt begins; the next one waits for it, and gets it when the first ends, spends less, or its engine dies", async () => {
  const home = await tempHome();
  const model = await scripted({ rules: [{ answer: { text: "yes", usage: { promptTokens: 100, completionTokens: 450 } } }] });
  const client = await gateway({ home });
  const budgets = [{ id: "run:run1", limit: 5_000, spent: 0 }];
  const of = (attempt: string) => ({ runId: "run1", attempt, budgets, amount: 3_000 });
  const over = new AbortController();
  const waits: string[] = [];
  const hold = (attempt: string, from = client, until = over.signal) => from.hold(of(attempt), until, (id) => waits.push(id));
  expect(await hold("run1/a#1")).toMatchObject({ kind: "held" });
  const second = hold("run1/b#1");
  await until(() => waits.length === 1);
  expect(waits).toEqual(["run:run1"]);
  const a = await client.openKey(spec(model, { attempt: "run1/a#1", budgets, hold: 3_000 }));
  expect((await ask(a, {})).status).toBe(200); // 1,000: 2,000 of its share are left.
  expect(await client.closeKey(a.key)).toMatchObject({ microUsd: 1_000 });
  const held = await second;
  expect(held).toMatchObject({ kind: "held" });
  // The rest, 4,000 less those 3,000, is less than a third one wants: it is to wait.
  const gaveUp = new AbortController();
  setTimeout(() => gaveUp.abort(), 100);
  expect(await hold("run1/c#1", client, gaveUp.signal)).toEqual({ kind: "given-up" });
  if (held.kind === "held") await held.release();
  // An engine that asked and is gone holds nothing.
  const other = await gateway({ home });
  expect(await hold("run1/d#1", other)).toMatchObject({ kind: "held" });
  await other.disconnect();
  expect(await hold("run1/e#1")).toMatchObject({ kind: "held" });
  expect(await client.hold({ ...of("run2/a#1"), budgets: [{ id: "run:run2", limit: 500, spent: 500 }] }, over.signal)).toEqual({
    kind: "exhausted",
    id: "run:run2",
    limit: 500,
    spent: 500,
  });
});

test("what is set aside stays set aside when the gateway's worker dies, and when the gateway does", async () => {
  const home = await tempHome();
  const model = await scripted({ rules: [{ answer: { text: "yes" } }] });
  const client = await gateway({ home });
  const budgets = [{ id: "run:run1", limit: 4_000, spent: 0 }];
  const a = await client.openKey(spec(model, { attempt: "run1/a#1", budgets, hold: 3_000 }));
  const full = async (): Promise<void> => {
    const over = AbortSignal.timeout(500);
    expect(await client.hold({ runId: "run1", attempt: "run1/b#1", budgets, amount: 2_000 }, over)).toEqual({ kind: "given-up" });
  };
  await full();
  for (const worker of childrenOf(client.pid)) process.kill(worker, "SIGKILL");
  await full();
  await endProcess(client.pid);
  await until(async () => (await ask(a, {}).catch(() => undefined))?.status === 200);
  await full();
  await client.closeKey(a.key);
  const b = await client.hold({ runId: "run1", attempt: "run1/b#1", budgets, amount: 2_000 }, new AbortController().signal);
  expect(b).toMatchObject({ kind: "held" });
});

test("an engine that died leaves its agent's share; who ends the attempt has it for the next one", async () => {
  const home = await tempHome();
  const model = await scripted({ rules: [{ answer: { text: "yes" } }] });
  const budgets = [{ id: "run:run1", limit: 4_000, spent: 0 }];
  const [first, next] = [await gateway({ home }), await gateway({ home })];
  await first.openKey(spec(model, { attempt: "run1/a#1", budgets, hold: 3_000, epoch: 1, until: Date.now() + 600_000 }));
  // While its engine lives, nobody else ends it.
  await next.endAttempt("run1/a#1");
  const again = { runId: "run1", attempt: "run1/a#2", budgets, amount: 3_000 };
  expect(await next.hold(again, AbortSignal.timeout(300))).toEqual({ kind: "given-up" });
  await first.disconnect();
  await next.endAttempt("run1/a#1");
  expect(await next.hold(again, AbortSignal.timeout(5_000))).toMatchObject({ kind: "held" });
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
    const ids = chargedTo({ budgets: held.map((h) => h.id), runId: "r", attempt: "r/a#1", at });
    return book.reserve({ attempt: "r/a#1", held, ids, amount });
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
