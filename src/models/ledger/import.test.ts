import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import type { CallRow, Commit, Store } from "../../store/index.ts";
import { ask, chunks, endProcess, gateway, price, scripted, spec, tempHome, until } from "../gateway/gateway.testkit.ts";
import { thisProcess, writeIdentity } from "../gateway/process-identity.ts";
import { SpoolWriter, type ReservedCall, type SettledCall } from "../gateway/spool.ts";
import { costOf } from "../gateway/prices.ts";
import { billOf, importSpool, usageOf } from "./index.ts";
import { openStore } from "./store.testkit.ts";

const alive = writeIdentity(thisProcess());
const dead = "999999999:1";

const reserved = (callId: string, change: Partial<ReservedCall> = {}): ReservedCall => ({
  type: "reserved",
  callId,
  at: 1_000,
  gateway: alive,
  keyId: "k",
  runId: "run1",
  attempt: "run1/build#1",
  agent: "agent-a",
  tier: "free",
  provider: "scripted",
  model: "m",
  budgets: ["run:run1"],
  inputTokens: 10,
  maxOutputTokens: 100,
  microUsd: 210,
  ...change,
});

const settledOf = (call: ReservedCall, change: Partial<SettledCall> = {}): SettledCall => {
  const { maxOutputTokens: _, microUsd, ...rest } = call;
  return {
    ...rest,
    type: "settled",
    provenance: "reported",
    outcome: "ok",
    inputTokens: 12,
    cachedInputTokens: 2,
    outputTokens: 5,
    microUsd: 21,
    reservedMicroUsd: microUsd,
    durationMs: 40,
    ...change,
  };
};

function tempSpool(): string {
  const folder = mkdtempSync(join(tmpdir(), "stepfall-spool-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, "spool.ndjson");
}

async function writeSpool(path: string, records: readonly (ReservedCall | SettledCall)[]): Promise<void> {
  const writer = new SpoolWriter(path);
  for (const record of records) await (record.type === "reserved" ? writer.reserved(record) : writer.settled(record));
  await writer.close();
}

test("importing twice, and by two engines at once, changes nothing", async () => {
  const store = await openStore();
  const spoolPath = tempSpool();
  expect(await importSpool({ spoolPath, store })).toEqual({ calls: 0, unknown: 0, open: 0 });
  await writeSpool(spoolPath, [
    reserved("a"),
    settledOf(reserved("a")),
    reserved("b"),
    settledOf(reserved("b"), { provenance: "estimated" }),
  ]);
  await Promise.all([importSpool({ spoolPath, store }), importSpool({ spoolPath, store })]);
  const rows = await store.calls();
  expect(rows.map((r) => r.callId).sort()).toEqual(["a", "b"]);
  expect(await importSpool({ spoolPath, store })).toEqual({ calls: 0, unknown: 0, open: 0 });
  expect(await store.calls()).toEqual(rows);
  expect(await usageOf(store, { attempt: "run1/build#1" })).toEqual({
    calls: 2,
    inputTokens: 24,
    cachedInputTokens: 4,
    outputTokens: 10,
    microUsd: 42,
    provenance: "estimated",
  });
});

test("a torn last line is left until it is whole, and healed by the next gateway", async () => {
  const store = await openStore();
  const spoolPath = tempSpool();
  await writeSpool(spoolPath, [reserved("a"), settledOf(reserved("a"))]);
  const line = `${JSON.stringify(settledOf(reserved("b")))}\n`;
  appendFileSync(spoolPath, line.slice(0, 50));
  expect(await importSpool({ spoolPath, store })).toMatchObject({ calls: 1 });
  appendFileSync(spoolPath, line.slice(50));
  expect(await importSpool({ spoolPath, store })).toMatchObject({ calls: 1 });
  appendFileSync(spoolPath, '{"type":"settled","callId":"to');
  await writeSpool(spoolPath, [settledOf(reserved("c"))]);
  expect(readFileSync(spoolPath, "utf8").endsWith("\n")).toBe(true);
  appendFileSync(spoolPath, "\0\0\0\0\n");
  await writeSpool(spoolPath, [settledOf(reserved("d"))]);
  await importSpool({ spoolPath, store });
  expect((await store.calls()).map((r) => r.callId)).toEqual(["a", "b", "c", "d"]);
});

test("a call under way is waited for; the same call of a dead gateway is unknown, once, for good", async () => {
  const store = await openStore();
  const spoolPath = tempSpool();
  const lost = reserved("lost", { gateway: dead });
  await writeSpool(spoolPath, [reserved("open"), settledOf(reserved("x")), lost]);
  expect(await importSpool({ spoolPath, store })).toEqual({ calls: 2, unknown: 1, open: 1 });
  const row = { callId: "lost", provenance: "unknown", microUsd: 210, reservedMicroUsd: 210, outputTokens: 100 };
  expect((await store.calls()).find((r) => r.callId === "lost")).toMatchObject(row);
  // The next gateway writes its own settlement of it, and the open call comes to its end.
  await writeSpool(spoolPath, [settledOf(lost, { ...row, provenance: "unknown" }), settledOf(reserved("open"))]);
  expect(await importSpool({ spoolPath, store })).toMatchObject({ unknown: 0, open: 0 });
  expect((await store.calls()).map((r) => [r.callId, r.microUsd]).sort()).toEqual([
    ["lost", 210],
    ["open", 21],
    ["x", 21],
  ]);
  expect((await usageOf(store, { runId: "run1" })).provenance).toBe("unknown");
});

test("a crash at any commit of an import loses nothing and doubles nothing", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ kind: fc.constantFrom("settled", "open", "lost"), cut: fc.boolean() }), { maxLength: 12 }),
      fc.array(fc.boolean(), { maxLength: 12 }),
      async (calls, crashes) => {
        const memory = memoryStore();
        const spoolPath = join(mkdtempSync(join(tmpdir(), "stepfall-spool-")), "spool.ndjson");
        try {
          writeFileSync(spoolPath, "");
          for (const [i, call] of calls.entries()) {
            const r = reserved(`c${i}`, { gateway: call.kind === "lost" ? dead : alive });
            await writeSpool(spoolPath, call.kind === "settled" ? [r, settledOf(r)] : [r]);
            if (call.cut) appendFileSync(spoolPath, '{"type":"sett');
            memory.crash = crashes[i] ?? false;
            await importSpool({ spoolPath, store: memory }).catch(() => undefined);
          }
          memory.crash = false;
          await importSpool({ spoolPath, store: memory });
          expect([...memory.rows.keys()].sort()).toEqual(calls.flatMap((c, i) => (c.kind === "open" ? [] : [`c${i}`])).sort());
        } finally {
          rmSync(join(spoolPath, ".."), { recursive: true, force: true });
        }
      },
    ),
    { numRuns: 40 },
  );
});

/** Fails after or before its write when told to: the store's own atomicity is the store's to test. */
function memoryStore(): Pick<Store, "commit" | "offset"> & { rows: Map<string, CallRow>; crash: boolean } {
  const offsets = new Map<string, number>();
  const store = {
    rows: new Map<string, CallRow>(),
    crash: false,
    async commit(commit: Commit) {
      if (store.crash && offsets.size % 2 === 0) throw new TypeError("crashed before the commit");
      for (const write of commit.projections ?? []) {
        if (write.kind === "calls") for (const row of write.rows) if (!store.rows.has(row.callId)) store.rows.set(row.callId, row);
        if (write.kind === "offset") offsets.set(write.key, write.value);
      }
      if (store.crash) throw new TypeError("crashed after the commit");
      return { versions: {}, globalSeq: 0 };
    },
    offset: async (key: string) => offsets.get(key) ?? 0,
  };
  return store;
}

test("a spool that was removed and begun anew is read from its start", async () => {
  const store = await openStore();
  const spoolPath = tempSpool();
  await writeSpool(spoolPath, [settledOf(reserved("a")), settledOf(reserved("b"))]);
  await importSpool({ spoolPath, store });
  rmSync(spoolPath);
  await writeSpool(spoolPath, [settledOf(reserved("c"))]);
  await importSpool({ spoolPath, store });
  expect((await store.calls()).map((r) => r.callId)).toEqual(["a", "b", "c"]);
});

test("more calls than one transaction takes are all imported", async () => {
  const store = await openStore();
  const spoolPath = tempSpool();
  await writeSpool(spoolPath, []);
  const lines = Array.from({ length: 4_001 }, (_, i) => `${JSON.stringify(settledOf(reserved(`c${i}`)))}\n`);
  appendFileSync(spoolPath, lines.join(""));
  expect(await importSpool({ spoolPath, store })).toMatchObject({ calls: 4_001 });
  expect(await store.calls()).toHaveLength(4_001);
});

test("the bill of a real gateway equals what the scripted endpoint counted, row by row", async () => {
  const store = await openStore();
  const home = await tempHome();
  const model = await scripted({
    rules: [
      { when: { lastUser: "long" }, answer: { text: "word ".repeat(400), chunkDelayMs: 10 } },
      { when: { lastUser: "fail" }, answer: { fault: { kind: "status", status: 500 } } },
      { answer: { text: "fine", usage: { promptTokens: 5_000, cachedTokens: 4_000, completionTokens: 70 } } },
    ],
  });
  const client = await gateway({ home });
  const first = await client.openKey(spec(model));
  const second = await client.openKey(
    spec(model, { attempt: "run1/build#2", agent: "agent-b", tier: "premium", budgets: [{ id: "run:run1", limit: 30_000, spent: 0 }] }),
  );
  await chunks(await ask(first, { stream: true }));
  await (await ask(first, { messages: [{ role: "user", content: "fail" }] })).text();
  for (let i = 0; i < 4; i++) await (await ask(second, {})).text();
  const cut = new AbortController();
  const cutting = ask(first, { stream: true, messages: [{ role: "user", content: "long" }] }, { signal: cut.signal }).then((r) => r.text());
  cutting.catch(() => undefined);
  await until(() => (model.served().at(-1)?.sentChunks ?? 0) > 5);
  expect(await importSpool({ spoolPath: client.spool, store })).toMatchObject({ open: 1 });
  cut.abort();
  const usage = [await client.closeKey(first.key), await client.closeKey(second.key)];
  await importSpool({ spoolPath: client.spool, store });

  const bill = await billOf(store, "run1");
  const one = costOf({ inputTokens: 5_000, cachedInputTokens: 4_000, outputTokens: 70 }, price);
  expect(one).toBe(3_140);
  expect(bill.rows.map((r) => [r.attempt, r.agent, r.tier, r.calls, r.refused])).toEqual([
    ["run1/build#1", "agent-a", "free", 3, 0],
    ["run1/build#2", "agent-b", "premium", 4, 0],
  ]);
  expect(bill.rows[1]).toMatchObject({
    microUsd: 4 * one,
    inputTokens: 20_000,
    cachedInputTokens: 16_000,
    outputTokens: 280,
    provenance: "reported",
  });
  expect(bill.rows[0]).toMatchObject({ provenance: "estimated" });
  for (const [i, row] of bill.rows.entries())
    expect(usage[i]).toMatchObject({ calls: row.calls, microUsd: row.microUsd, outputTokens: row.outputTokens });
  expect(bill.total.microUsd).toBe(bill.rows.reduce((sum, r) => sum + r.microUsd, 0));
  expect(await usageOf(store, { runId: "run1", step: "build" })).toEqual(await usageOf(store, { runId: "run1" }));
  expect(await usageOf(store, { attempt: "run1/build#1" })).toMatchObject({ calls: 3, microUsd: usage[0]?.microUsd });
});

test("a gateway killed in mid-call is billed at its reservation, before and after the next one starts", async () => {
  const store = await openStore();
  const home = await tempHome();
  const model = await scripted({ rules: [{ answer: { text: "word ".repeat(400), chunkDelayMs: 20 } }] });
  const client = await gateway({ home });
  const open = await client.openKey(spec(model));
  const pending = ask(open, { stream: true }).then((r) => r.text());
  pending.catch(() => undefined);
  await until(() => (model.served()[0]?.sentChunks ?? 0) > 2);
  expect(await importSpool({ spoolPath: client.spool, store })).toEqual({ calls: 0, unknown: 0, open: 1 });
  await endProcess(client.pid);
  expect(await importSpool({ spoolPath: client.spool, store })).toEqual({ calls: 1, unknown: 1, open: 0 });
  const rows = await store.calls();
  expect(rows).toMatchObject([{ provenance: "unknown", outcome: "failed", outputTokens: 1_000 }]);
  expect(rows[0]?.microUsd).toBe(rows[0]?.reservedMicroUsd);
  await gateway({ home });
  await importSpool({ spoolPath: client.spool, store });
  expect(await store.calls()).toEqual(rows);
});
