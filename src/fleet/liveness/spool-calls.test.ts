import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { SpoolCalls } from "./index.ts";

const call = (id: string, gateway: string) => ({
  callId: id,
  at: 1000,
  gateway,
  keyId: "k",
  runId: "r",
  attempt: "r/a#1",
  agent: "x",
  tier: "free",
  provider: "p",
  model: "m",
  budgets: [],
});
const reserved = (id: string, gateway: string) => ({
  ...call(id, gateway),
  type: "reserved",
  inputTokens: 10,
  maxOutputTokens: 9,
  microUsd: 5,
});
const settled = (id: string, gateway: string) => ({
  ...call(id, gateway),
  type: "settled",
  provenance: "reported",
  outcome: "ok",
  inputTokens: 10,
  cachedInputTokens: 0,
  outputTokens: 7,
  microUsd: 4,
  reservedMicroUsd: 5,
  durationMs: 300,
});

test("calls start and end as the spool grows; those of a gateway that died end, too", () => {
  const home = mkdtempSync(join(tmpdir(), "stepfall-spool-"));
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  const path = join(home, "spool.ndjson");
  const add = (...records: object[]): void => appendFileSync(path, records.map((r) => `${JSON.stringify(r)}\n`).join(""));
  const calls = new SpoolCalls(path);
  expect(calls.look(0)).toEqual([]);
  // This very process, told by its pid alone.
  const alive = `${process.pid}:`;
  writeFileSync(path, `${JSON.stringify({ type: "spool", id: "one", version: 1 })}\n`);
  add(reserved("a", alive), reserved("lost", "999999999:1"));
  expect(calls.look(2000).map(({ seen }) => [seen.kind, seen.call])).toEqual([
    ["call-started", "a"],
    ["call-started", "lost"],
  ]);
  expect(calls.look(3000)).toEqual([{ attempt: "r/a#1", seen: { kind: "call-ended", at: 3000, call: "lost" } }]);
  add(settled("a", alive));
  expect(calls.look(4000)).toEqual([{ attempt: "r/a#1", seen: { kind: "call-ended", at: 1300, call: "a", tokens: 17, microUsd: 4 } }]);
  expect(calls.look(5000)).toEqual([]);
  writeFileSync(path, `${JSON.stringify({ type: "spool", id: "two", version: 1 })}\n`);
  add(reserved("b", alive));
  expect(calls.look(6000).map(({ seen }) => seen.call)).toEqual(["b"]);
});
