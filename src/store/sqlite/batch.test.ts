import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openBatches } from "./batch.ts";
import { openDatabase } from "./database.ts";
import { openPerformer } from "./perform.ts";
import type { Outcome, PackedCommit, Request } from "./wire.ts";

let folder: string;
let db: DatabaseSync;
let run: (requests: readonly Request[]) => Outcome[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "stepfall-batch-"));
  db = openDatabase(join(folder, "store.db"), 100);
  run = openBatches(db, openPerformer(db), "store.db");
});
afterEach(() => {
  db.close();
  rmSync(folder, { recursive: true });
});

const none: PackedCommit = {
  appends: [],
  fence: [],
  enqueue: [],
  settle: [],
  withdraw: [],
  setTimers: [],
  clearTimers: [],
  projections: [],
};
const append = (stream: string, expected: number, json = "{}", more: Partial<PackedCommit> = {}): Request => ({
  kind: "commit",
  commit: { ...none, appends: [{ stream, expected, events: ["CancelRequested", 1, 0, "x", null, json] }], ...more },
});
const read = (stream: string): Request => ({ kind: "read", stream, after: 0, limit: 10 });
const codes = (outcomes: readonly Outcome[]) => outcomes.map((outcome) => (outcome.ok ? "ok" : outcome.refusal.code));

test("a conflict in the middle takes none of its neighbours with it", () => {
  const outcomes = run([append("1", 0), append("1", 0), append("1", 1), append("2", 7), read("1")]);
  expect(codes(outcomes)).toEqual(["ok", "STORE_CONFLICT", "ok", "STORE_CONFLICT", "ok"]);
  expect(outcomes[4]).toMatchObject({ value: [expect.anything(), expect.anything()] });
});

test("a request SQLite cannot take fails alone, and nothing of it stays", () => {
  const nonsense = [{ id: {} as string, runId: "r", at: 0 }];
  expect(codes(run([append("1", 0), append("2", 0, "{}", { setTimers: nonsense }), append("3", 0)]))).toEqual(["ok", "STORE_FAILED", "ok"]);
  expect(run([read("2")])).toEqual([{ ok: true, value: [] }]);
});

test("a full disk refuses the whole transaction by name, and the store goes on when there is space again", () => {
  expect(codes(run([append("1", 0)]))).toEqual(["ok"]);
  const pages = Number(db.prepare("PRAGMA page_count").get()!["page_count"]);
  db.exec(`PRAGMA max_page_count = ${pages + 2}`);
  const large = JSON.stringify({ reason: "x".repeat(100_000) });
  expect(codes(run([append("2", 0), append("3", 0, large), append("4", 0)]))).toEqual(["STORE_FULL", "STORE_FULL", "STORE_FULL"]);
  expect(db.isTransaction).toBe(false);
  expect(run([read("2")])).toEqual([{ ok: true, value: [] }]);
  db.exec("PRAGMA max_page_count = 1000000");
  expect(codes(run([append("2", 0), append("3", 0, large)]))).toEqual(["ok", "ok"]);
});

test("a file that may only be read is refused by name", () => {
  db.exec("PRAGMA query_only = ON");
  expect(codes(run([append("1", 0), read("1")]))).toEqual(["STORE_FULL", "ok"]);
});

test("while another process writes for too long the answer is that the store is busy; reading goes on", () => {
  const other = openDatabase(join(folder, "store.db"), 100);
  other.exec("BEGIN IMMEDIATE");
  expect(codes(run([append("1", 0), read("1"), append("2", 0)]))).toEqual(["STORE_BUSY", "ok", "STORE_BUSY"]);
  other.exec("ROLLBACK");
  other.close();
  expect(codes(run([append("1", 0)]))).toEqual(["ok"]);
});
