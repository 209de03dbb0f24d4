import fc from "fast-check";
import { expect, test } from "vitest";
import { candidatesOf, ledgerOf, type MadeUp } from "./economics.testkit.ts";
import { columnsOf } from "./columns.ts";
import { gateQuality, learnOutcomes, partOf, planCascade, statedGate, type CascadePlan, type OutcomeRow } from "./index.ts";
import { weigh } from "./weigh.ts";

const cheap: MadeUp = { id: "cheap", tier: "free", skill: 0.6, microUsd: 10_000 };
const dear: MadeUp = { id: "dear", tier: "premium", skill: 0.75, microUsd: 400_000 };
const near: MadeUp = { id: "near", tier: "mid", skill: 0.74, microUsd: 300_000 };
const plan = (agents: readonly MadeUp[], falseAccept: number, works = 300): CascadePlan =>
  planCascade(
    candidatesOf(agents),
    learnOutcomes(ledgerOf(agents, works)),
    statedGate(falseAccept, 0.1),
    { kind: "cheapest" },
    { takesLast: true },
  );

test("with tiers forty times apart in price and a gate that tells, a cascade pays, and begins with the cheap agent", () => {
  const made = plan([cheap, dear], 0);
  expect(made.verdict).toBe("cascade");
  expect(made.reference).toBe("dear");
  const most = [...made.parts].sort((a, b) => b.share - a.share)[0];
  expect(most?.agents).toEqual(["cheap", "dear"]);
  expect(made.gain.microUsd.high).toBeLessThan(0);
  expect(made.reasons[0]).toContain("A cascade pays");
});

test("with close prices and a gate that accepts half of the wrong results, one agent is said to be best", () => {
  const made = plan([near, dear], 0.5);
  expect(made.verdict).toBe("single");
  expect(made.parts).toEqual([{ share: 1, agents: [made.reference] }]);
  expect(made.reasons[0]).toContain("A cascade does not pay");
});

test("an empty ledger, or a few attempts, is not planned with: the plan says so", () => {
  const none = planCascade(candidatesOf([cheap, dear]), learnOutcomes([]), gateQuality(), { kind: "best-within" });
  expect(none.verdict).toBe("unknown");
  const few = plan([cheap, dear], 0, 5);
  expect(few.verdict).toBe("unknown");
  expect(few.reasons[0]).toContain("Too little is known");
});

test("the expected figures are a replay of the plan over the ledger, drawn a little to the model", () => {
  const rows = ledgerOf([cheap, dear], 2_000);
  const made = planCascade(candidatesOf([cheap, dear]), learnOutcomes(rows), statedGate(0, 0.1), { kind: "cheapest" }, { takesLast: true });
  const byWork = Map.groupBy(rows, (r) => r.work);
  let [right, cost] = [0, 0];
  for (const attempts of byWork.values()) {
    for (const part of made.parts) {
      let reach = part.share;
      part.agents.forEach((agent, stage) => {
        const row = attempts.find((r) => r.agent === agent);
        cost += reach * (row?.microUsd ?? 0);
        const keeps = stage === part.agents.length - 1 ? 1 : 0.9;
        right += row?.right === true ? reach * keeps : 0;
        reach *= row?.right === true ? 0.1 : 1;
      });
    }
  }
  expect(made.expected.right.mean).toBeCloseTo(right / byWork.size, 2);
  expect(Math.abs(made.expected.microUsd.mean / (cost / byWork.size) - 1)).toBeLessThan(0.02);
});

test("a ledger in which the second agent only saw what the first was refused teaches the same as one where both saw all", () => {
  const rows = ledgerOf([cheap, dear], 3_000, 4);
  const refused = new Set(rows.filter((r) => r.agent === "cheap" && r.right === false).map((r) => r.work));
  // A tenth of the work went to the dear one at once, so its own rate is known too.
  const sparse = rows.filter((r) => r.agent === "cheap" || refused.has(r.work) || r.work.endsWith("7"));
  const expected = (from: readonly OutcomeRow[]): CascadePlan =>
    planCascade(
      candidatesOf([cheap, dear]),
      learnOutcomes(from),
      statedGate(0, 0),
      { kind: "best-within", reference: "cheap", microUsd: 10_000_000 },
      { takesLast: true },
    );
  const [all, some] = [expected(rows), expected(sparse)];
  expect(all.parts.at(-1)?.agents).toEqual(["cheap", "dear"]);
  expect(some.parts).toEqual(all.parts);
  expect(some.expected.right.mean).toBeCloseTo(all.expected.right.mean, 2);
});

test("a reference that came only after refusals is not compared piece by piece: on the hard work alone the difference is always the same", () => {
  const rows = ledgerOf([cheap, dear], 400).map((r) => ({ ...r, microUsd: r.agent === "cheap" ? cheap.microUsd : dear.microUsd }));
  const refused = new Set(rows.filter((r) => r.agent === "cheap" && r.right === false).map((r) => r.work));
  const cascade = (from: readonly OutcomeRow[]): { joint: number; valueError: number; microUsdError: number } =>
    weigh([0, 1], 1, columnsOf(candidatesOf([cheap, dear]), learnOutcomes(from), statedGate(0, 0)), { gate: statedGate(0, 0) });
  const seen = cascade(rows.filter((r) => r.agent === "cheap" || refused.has(r.work)));
  expect(seen.joint).toBeGreaterThan(100);
  expect(seen.microUsdError).toBeGreaterThan(0);
  expect(seen.valueError).toBeGreaterThan(cascade(rows).valueError);
});

test("a plan within a budget is not expected to cost more than it, and never does worse than the reference by its own figures", () => {
  const agent = fc.record({ skill: fc.double({ min: 0.2, max: 0.9, noNaN: true }), microUsd: fc.integer({ min: 100, max: 1_000_000 }) });
  fc.assert(
    fc.property(
      fc.array(agent, { minLength: 2, maxLength: 4 }),
      fc.double({ min: 0, max: 0.6, noNaN: true }),
      fc.nat(1_000),
      (made, falseAccept, seed) => {
        const agents = made.map((a, i): MadeUp => ({ id: `a${i}`, tier: ["free", "mid", "premium"][i % 3] ?? "mid", ...a }));
        const outcomes = learnOutcomes(ledgerOf(agents, 40, seed));
        for (const kind of ["best-within", "cheapest"] as const) {
          const p = planCascade(candidatesOf(agents), outcomes, statedGate(falseAccept, 0.1), { kind, reference: "a0" });
          expect(p.parts.reduce((sum, part) => sum + part.share, 0)).toBeCloseTo(1, 9);
          const base = p.singles.find((single) => single.agent === "a0");
          // Every attempt is judged here: a wrong result that is accepted takes away what a right one is worth.
          expect(p.expected.right.mean - p.expected.wrong).toBeGreaterThanOrEqual((base?.right.mean ?? 0) - (base?.wrong ?? 0) - 1e-9);
          if (kind === "best-within" || p.parts.some((part) => part.agents.length > 1)) expect(p.gain.microUsd.mean).toBeLessThanOrEqual(1);
          for (const part of p.parts) for (const id of part.agents) expect(agents.some((a) => a.id === id)).toBe(true);
        }
      },
    ),
    { numRuns: 60 },
  );
});

test("where every attempt is judged, the cheap agent goes first with a gate that tells, and the good one with a gate that does not", () => {
  const outcomes = learnOutcomes(ledgerOf([cheap, dear], 400));
  const cheapFirst = (falseAccept: number): number =>
    planCascade(candidatesOf([cheap, dear]), outcomes, statedGate(falseAccept, 0.1), { kind: "best-within", reference: "dear" })
      .parts.filter((p) => p.agents[0] === "cheap")
      .reduce((sum, p) => sum + p.share, 0);
  expect(cheapFirst(0)).toBeGreaterThan(0.9);
  expect(cheapFirst(0.8)).toBeLessThan(0.1);
});

test("an agent may try again only where that is allowed, and its second attempt is not taken for a new agent's", () => {
  const rows = ledgerOf([cheap, dear], 200);
  const make = (mayRepeat: boolean): CascadePlan =>
    planCascade(
      candidatesOf([cheap, dear]),
      learnOutcomes(rows),
      statedGate(0, 0),
      { kind: "best-within", reference: "dear" },
      { mayRepeat, takesLast: true },
    );
  for (const part of make(false).parts) expect(new Set(part.agents).size).toBe(part.agents.length);
  const columns = columnsOf(candidatesOf([cheap, dear]), learnOutcomes(rows), statedGate(0, 0));
  const right = (...agents: number[]): number => weigh(agents, 0, columns, { gate: statedGate(0, 0), takesLast: true }).right;
  const alone = right(0);
  expect(right(0, 0)).toBeGreaterThan(alone);
  // As if the two attempts had nothing to do with each other it would be right so often; the assumed correlation leaves a third of the gain.
  expect(right(0, 0) - alone).toBeLessThan(0.5 * alone * (1 - alone));
  expect(right(0, 1)).toBeGreaterThan(right(0, 0));
});

test("a mixed plan gives each piece of work one part, and each part its share of many", () => {
  const parts = [
    { share: 0.3, agents: ["a"] },
    { share: 0.7, agents: ["b", "c"] },
  ];
  const first = Array.from({ length: 10_000 }, (_, i) => partOf({ parts }, `run/step-${i}`)).filter((p) => p === parts[0]).length;
  expect(first / 10_000).toBeCloseTo(0.3, 1);
  fc.assert(fc.property(fc.string(), (key) => partOf({ parts }, key) === partOf({ parts }, key)));
  expect(partOf({ parts: [] }, "x")).toBeUndefined();
});
