import fc from "fast-check";
import { expect, test } from "vitest";
import type { CallRow, OutcomeRow } from "../../store/index.ts";
import { dimensions, viewBy, type LedgerData } from "./index.ts";

const DAY = 86_400_000;
const dayOf = (at: number): string => new Date(at).toISOString().slice(0, 10);
const some = (...words: string[]) => fc.constantFrom(...words);
const tokens = fc.nat(1_000_000);

/** Any calls: of attempts that are known and of some that are not, refused ones, of any provenance. */
const calls = fc.array(
  fc.record({
    runId: some("r1", "r2"),
    step: some("a", "b/c"),
    n: fc.integer({ min: 1, max: 3 }),
    agent: some("small", "large"),
    provider: some("p", "q"),
    model: some("m1", "m2"),
    tier: some("free", "premium"),
    at: fc.nat(5 * DAY),
    inputTokens: tokens,
    cachedInputTokens: tokens,
    outputTokens: tokens,
    microUsd: fc.nat(100_000_000),
    provenance: some("reported", "estimated", "unknown"),
    outcome: some("ok", "cancelled", "refused"),
  }),
  { maxLength: 60 },
);

function ledgerOf(made: typeof calls extends fc.Arbitrary<infer T> ? T : never, isKnown: (attempt: string) => boolean): LedgerData {
  const rows = made.map(({ step, n, ...rest }, i) => {
    const call = { ...rest, callId: String(i), attempt: `${rest.runId}/${step}#${n}`, durationMs: 1, reservedMicroUsd: 0 };
    return call as CallRow;
  });
  const outcomes = rows
    .filter((row) => isKnown(row.attempt))
    .map((row, i): OutcomeRow => {
      const { attempt, runId, agent, tier, at } = row;
      const step = attempt.slice(runId.length + 1, -2);
      const verdict = i % 2 === 0 ? "accepted" : "refused";
      return {
        attempt,
        runId,
        step,
        project: "/p",
        at,
        agent,
        tier,
        type: "fix",
        verdict,
        gates: [],
        microUsd: 0,
        ms: 1,
        ...(i % 3 === 0 ? { policy: "b" } : {}),
      };
    });
  const unique = [...new Map(outcomes.map((o) => [o.attempt, o])).values()];
  return { calls: rows, outcomes: unique, said: [], pipelines: new Map([["r1", "fix"]]), isScripted: (_, provider) => provider === "q" };
}

test("whatever the ledger is summed by, the rows add up to the calls to the micro-dollar, and so does the total", () => {
  fc.assert(
    fc.property(calls, fc.constantFrom(...dimensions), fc.boolean(), (made, by, isKnown) => {
      const data = ledgerOf(made, (attempt) => isKnown || attempt.startsWith("r1"));
      const view = viewBy(by, data, dayOf);
      const sent = data.calls.filter((call) => call.outcome !== "refused");
      const sum = (of: (call: CallRow) => number): number => sent.reduce((n, call) => n + of(call), 0);
      for (const field of ["inputTokens", "cachedInputTokens", "outputTokens", "microUsd"] as const) {
        expect(view.rows.reduce((n, row) => n + row[field], 0)).toBe(sum((call) => call[field]));
        expect(view.total[field]).toBe(sum((call) => call[field]));
      }
      expect(view.rows.reduce((n, row) => n + row.calls, 0)).toBe(sent.length);
      expect(view.rows.reduce((n, row) => n + row.refused, 0)).toBe(data.calls.length - sent.length);
      for (const { calls: all, microUsd, figures } of [...view.rows, view.total]) {
        const parts = Object.values(figures);
        expect(parts.reduce((n, p) => n + p.calls, 0)).toBe(all);
        expect(parts.reduce((n, p) => n + p.microUsd, 0)).toBe(microUsd);
      }
      expect(view.total.attempts).toBe(data.outcomes.length);
      if (by !== "model") expect(view.rows.reduce((n, row) => n + row.attempts, 0)).toBe(data.outcomes.length);
    }),
  );
});

test("an agent's own word is on the view beside the calls, and said to be that", () => {
  const usage = { calls: 2, inputTokens: 10, cachedInputTokens: 0, outputTokens: 5, microUsd: 30, provenance: "unknown" as const };
  const said = [{ attempt: "r1/a#1", agent: "own", tier: "mid", usage, at: 2 * DAY }];
  const data = { ...ledgerOf([], () => true), said };
  expect(viewBy("day", data, dayOf).rows).toMatchObject([{ name: "1970-01-03", microUsd: 30, ownWord: 2, provenance: "unknown" }]);
  expect(viewBy("step", data, dayOf).rows).toMatchObject([{ name: "fix: a", calls: 2 }]);
});
