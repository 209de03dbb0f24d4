import fc from "fast-check";
import { expect, test } from "vitest";
import { entryTier, extendOutcomes, gateQuality, learnOutcomes, statedGate, type Candidate, type OutcomeRow } from "./index.ts";

const TIERS = ["free", "mid", "premium"];
const about = { type: "fix", complexity: 5 };
const gate = statedGate(0.05, 0.1);
const registry: Candidate[] = [
  { id: "local", tier: "free", listMicroUsd: 0 },
  { id: "middle", tier: "mid", listMicroUsd: 40_000 },
  { id: "top", tier: "premium", listMicroUsd: 500_000 },
];
let works = 0;
const rows = (agent: string, right: number, wrong: number, microUsd: number): OutcomeRow[] =>
  Array.from({ length: right + wrong }, (_, n) => ({
    work: `w${works++}`,
    ...about,
    agent,
    tier: registry.find((c) => c.id === agent)?.tier ?? "mid",
    right: n < right,
    microUsd,
    ms: 1,
  }));

test("with nothing known the price list decides, and that is said", () => {
  const entry = entryTier(registry, TIERS, learnOutcomes([]), gateQuality(), about);
  expect(entry).toMatchObject({ isLearnt: false, tier: "free" });
  expect(entry?.reasons[0]).toContain("no attempt of it is known yet");
  // Nothing that is only assumed is told as money.
  expect(entry?.reasons.join(" ")).not.toMatch(/[$]\d/);
  expect(entry?.reasons.at(-1)).toContain("is assumed to accept");
});

test("what is only assumed of a gate keeps no cheap tier from beginning; what was counted does", () => {
  const seen = learnOutcomes([...rows("local", 3, 3, 0), ...rows("top", 6, 0, 500_000)]);
  expect(entryTier(registry, TIERS, seen, gateQuality(), about)?.tier).toBe("free");
  const counted = gateQuality({ wrong: 40, wrongAccepted: 20, right: 40, rightRefused: 2 });
  expect(entryTier(registry, TIERS, seen, counted, about)?.tier).toBe("premium");
});

test("a cheap tier that is refused nearly always is skipped once the ledger knows", () => {
  const bad = [...rows("middle", 1, 59, 40_000), ...rows("top", 55, 5, 80_000)];
  const priced = registry.map((c) => (c.id === "top" ? { ...c, listMicroUsd: 80_000 } : c)).slice(1);
  const entry = entryTier(priced, TIERS, learnOutcomes(bad), gate, about);
  expect(entry?.tier).toBe("premium");
  expect(entry?.ranking[0]?.microUsdPerRight).toBeLessThan(entry?.ranking[1]?.microUsdPerRight ?? 0);
});

test("a cheap tier that usually succeeds is entered", () => {
  const good = [...rows("middle", 40, 20, 40_000), ...rows("top", 50, 10, 500_000)];
  expect(entryTier(registry.slice(1), TIERS, learnOutcomes(good), gate, about)?.tier).toBe("mid");
});

test("a tier that costs nearly as much as the next and is right half as often is skipped, though it would be one more try", () => {
  const priced = registry.slice(1).map((c) => ({ ...c, listMicroUsd: c.id === "middle" ? 450_000 : 500_000 }));
  const outcomes = learnOutcomes([...rows("middle", 30, 30, 450_000), ...rows("top", 50, 10, 500_000)]);
  expect(entryTier(priced, TIERS, outcomes, gate, about)?.tier).toBe("premium");
});

test("on equal terms the free tier goes first", () => {
  const two: Candidate[] = [
    { id: "a", tier: "mid", listMicroUsd: 0 },
    { id: "b", tier: "free", listMicroUsd: 0 },
  ];
  expect(entryTier(two, TIERS, learnOutcomes([]), gate, about)?.tier).toBe("free");
});

test("a free agent whose wrong results the gate lets through does not begin", () => {
  const outcomes = learnOutcomes([...rows("local", 2, 98, 0), ...rows("top", 90, 10, 500_000)]);
  expect(entryTier(registry, TIERS, outcomes, statedGate(0.5, 0.1), about)?.tier).not.toBe("free");
  expect(entryTier(registry, TIERS, outcomes, statedGate(0, 0.1), about)?.tier).toBe("free");
});

test("verdicts of a gate that accepts wrong results are not taken for truth", () => {
  const judged = (accepted: number, refused: number): OutcomeRow[] =>
    rows("middle", accepted, refused, 1).map(({ right, ...row }) => ({ ...row, accepted: right }));
  const lenient = entryTier(registry, TIERS, learnOutcomes(judged(60, 40)), statedGate(0.5, 0.05), about);
  const strict = entryTier(registry, TIERS, learnOutcomes(judged(60, 40)), statedGate(0, 0.05), about);
  const right = (entry: typeof strict): number => entry?.ranking.find((r) => r.agent === "middle")?.right ?? 0;
  expect(right(strict)).toBeGreaterThan(right(lenient) + 0.1);
});

test("attempts at other types and complexities count for less", () => {
  const outcomes = learnOutcomes(rows("middle", 40, 0, 40_000));
  const attempts = (type: string, complexity: number): number =>
    entryTier(registry, TIERS, outcomes, gate, { type, complexity })?.ranking.find((r) => r.agent === "middle")?.attempts ?? 0;
  expect(attempts("fix", 5)).toBeCloseTo(40);
  expect(attempts("docs", 5)).toBeCloseTo(10);
  expect(attempts("fix", 7)).toBeLessThan(20);
});

test("what is remembered for one registry is not answered for another, nor for another gate", () => {
  const outcomes = learnOutcomes([...rows("middle", 40, 20, 40_000), ...rows("top", 50, 10, 500_000)]);
  const ask = (of: readonly Candidate[], by = gate): string | undefined => entryTier(of, TIERS, outcomes, by, about)?.agent;
  for (let round = 0; round < 2; round++) {
    expect(ask(registry.slice(1))).toBe("middle");
    expect(ask(registry.slice(2))).toBe("top");
    expect(ask(registry.slice(1).map((c) => ({ ...c, listMicroUsd: c.id === "middle" ? 900_000_000 : 1 })))).toBe("top");
    expect(ask(registry.slice(1), statedGate(0.9, 0.1))).toBe("top");
  }
});

test("a snapshot never changes, however it is extended", () => {
  const first = learnOutcomes(rows("middle", 10, 10, 40_000));
  const before = JSON.stringify([first.size, first.rows(), entryTier(registry, TIERS, first, gate, about)]);
  const one = extendOutcomes(first, rows("middle", 30, 0, 40_000));
  const other = extendOutcomes(first, rows("top", 0, 30, 500_000));
  expect(JSON.stringify([first.size, first.rows(), entryTier(registry, TIERS, first, gate, about)])).toBe(before);
  expect(one.rows().at(-1)?.agent).toBe("middle");
  expect(other.rows().at(-1)?.agent).toBe("top");
});

test("learning row by row ends where learning at once does", () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ agent: fc.constantFrom("local", "middle", "top"), right: fc.boolean() }), { maxLength: 60 }),
      (list) => {
        const all = list.flatMap(({ agent, right }) => rows(agent, right ? 1 : 0, right ? 0 : 1, 100));
        const stepwise = all.reduce((outcomes, row) => extendOutcomes(outcomes, [row]), learnOutcomes([]));
        expect(stepwise.size).toBe(all.length);
        // What is derived may lag by a twentieth of the rows, and no more.
        expect(stepwise.basis.size).toBeGreaterThanOrEqual(Math.floor(all.length / 1.05));
        const figures = (outcomes: typeof stepwise): unknown => entryTier([...registry], TIERS, outcomes, gate, about)?.ranking;
        expect(figures(stepwise)).toEqual(figures(learnOutcomes(all.slice(0, stepwise.basis.size))));
      },
    ),
    { numRuns: 50 },
  );
});
