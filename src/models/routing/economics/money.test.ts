import { expect, test } from "vitest";
import { candidatesOf, ledgerOf, seeded, type MadeUp } from "./economics.testkit.ts";
import { advise, estimateRun, gateQuality, learnOutcomes, savings, statedGate, type Candidate, type OutcomeRow } from "./index.ts";

const cheap: MadeUp = { id: "cheap", tier: "free", skill: 0.6, microUsd: 10_000 };
const dear: MadeUp = { id: "dear", tier: "premium", skill: 0.75, microUsd: 400_000 };
const gate = statedGate(0, 0.1);

test("advice names the cheapest way and the best single agent, with its confidence", () => {
  const advice = advise(candidatesOf([cheap, dear]), learnOutcomes(ledgerOf([cheap, dear], 200)), gate);
  if (advice.kind !== "advice") throw new Error("too little");
  expect(advice.single).toBe("dear");
  expect(advice.plan.verdict).toBe("cascade");
  expect(advice.confidence).toBeGreaterThan(0.9);
  expect(advice.sentences.join(" ")).toMatch(/The best single agent is dear: .* from 200 attempts/);
});

test("with too little data the advice is that there is too little, and how much is missing", () => {
  const advice = advise(candidatesOf([cheap, dear]), learnOutcomes(ledgerOf([cheap, dear], 4)), gateQuality());
  expect(advice).toMatchObject({
    kind: "too-little",
    missing: [
      { attempts: 4, more: 6 },
      { attempts: 4, more: 6 },
    ],
  });
  expect(advice.sentences[0]).toContain("Too little data to advise: 0 of 2 agents");
});

test("an agent that only saw what another was refused is not advised on: what it does alone nobody knows", () => {
  const rows = ledgerOf([cheap, dear], 400);
  const refused = new Set(rows.filter((r) => r.agent === "cheap" && r.right === false).map((r) => r.work));
  const sparse = rows.filter((r) => r.agent === "cheap" || refused.has(r.work));
  const advice = advise(candidatesOf([cheap, dear]), learnOutcomes(sparse), gate);
  expect(advice).toMatchObject({ kind: "too-little", missing: [], unseen: [{ agent: "dear", attempts: refused.size, alone: 0 }] });
});

test("an attempt whose cost nobody knows teaches of acceptance and not that it was free", () => {
  const rows = ledgerOf([cheap, dear], 100);
  const unknown = rows.map(({ microUsd, ...row }) => (row.agent === "dear" ? row : { ...row, microUsd }));
  const advice = advise(candidatesOf([cheap, dear]), learnOutcomes(unknown), gate);
  expect(advice).toMatchObject({ kind: "too-little" });
  expect(advice.sentences.join(" ")).toContain("What dear costs nobody knows");
  const { spent, steps, missing } = savings(unknown, candidatesOf([cheap, dear]), gate);
  expect([spent, steps]).toEqual([0, 0]);
  expect(missing).toContain("100 steps of which nobody knows what they cost");
  const some = savings(
    [...rows.filter((r) => r.agent === "cheap"), ...unknown.filter((r) => r.work === "work-7")],
    candidatesOf([cheap]),
    gate,
  );
  expect(some.steps).toBe(99);
});

test("savings against always-premium are what premium cost where it tried, and an estimate elsewhere", () => {
  const rows = ledgerOf([cheap, dear], 100).filter((r) => r.agent === "cheap" || Number(r.work.slice(5)) % 4 === 0);
  const { spent, counterfactuals } = savings(rows, candidatesOf([cheap, dear]), gate);
  const premium = counterfactuals.find((c) => c.name === "always-premium");
  expect(premium).toMatchObject({ agent: "dear", steps: 100, seen: 25, isEstimate: true });
  expect(premium?.microUsd.mean).toBeGreaterThan(30_000_000);
  expect(premium?.microUsd.mean).toBeLessThan(50_000_000);
  expect((premium?.microUsd.mean ?? 0) - spent).toBe(premium?.saved.mean);
  expect(premium?.method).toContain("25 it really tried");
  const all = savings(ledgerOf([dear], 50), candidatesOf([dear]), gate);
  expect(all.counterfactuals[0]?.saved).toEqual({ mean: 0, low: 0, high: 0 });
});

test("savings that cannot be computed are said to be missing", () => {
  const known = savings(ledgerOf([cheap], 20), candidatesOf([cheap]), gate);
  expect(known.missing).toEqual(["always-premium: no agent of tier premium has a price"]);
  expect(savings([], candidatesOf([cheap]), gate).counterfactuals).toEqual([]);
});

test("eight of ten runs end within the estimated range", () => {
  const agents: Candidate[] = [...candidatesOf([cheap, dear])];
  const outcomes = learnOutcomes(ledgerOf([cheap, dear], 400));
  const about = { type: "fix", complexity: 5 };
  const steps = Array.from({ length: 20 }, (_, i) => ({ path: `s${i}`, about, candidates: agents, attempts: 2 }));
  const estimate = estimateRun(steps, outcomes, gate);
  // Runs drawn from another ledger of the same agents.
  const fresh = Map.groupBy(ledgerOf([cheap, dear], 4_000, 9), (r) => r.work);
  const works = [...fresh.values()];
  const random = seeded(3);
  let inside = 0;
  const RUNS = 400;
  for (let run = 0; run < RUNS; run++) {
    let cost = 0;
    for (const _ of steps) {
      const [first, second] = works[Math.floor(random() * works.length)] as [OutcomeRow, OutcomeRow];
      cost += first.microUsd ?? 0;
      if (!(first.right === true && random() < 0.9)) cost += second.microUsd ?? 0;
    }
    if (cost >= estimate.range.low && cost <= estimate.range.high) inside++;
  }
  expect(inside / RUNS).toBeGreaterThan(0.7);
  expect(inside / RUNS).toBeLessThan(0.92);
});

test("a step nobody can price is named, and left out of the figure", () => {
  const estimate = estimateRun(
    [
      { path: "a", about: { type: "fix", complexity: 3 }, candidates: [{ id: "unpriced", tier: "mid" }], attempts: 1 },
      { path: "b", about: { type: "fix", complexity: 3 }, candidates: [{ id: "listed", tier: "mid", listMicroUsd: 50_000 }], attempts: 1 },
      { path: "c", about: { type: "other", complexity: 1 }, candidates: [], attempts: 1 },
    ],
    learnOutcomes([]),
    gateQuality(),
  );
  expect(estimate.unknown).toEqual(["a"]);
  expect(estimate.expected).toBe(50_000);
  expect(estimate.range.low).toBeLessThan(50_000);
  expect(estimate.range.high).toBeGreaterThan(50_000);
  expect(estimate.method).toContain("0 of 2 steps from attempts in the ledger");
});

test("a gate's quality is what was counted, and assumed where nothing was", () => {
  expect(gateQuality()).toMatchObject({ falseAccept: 0.3, falseRefuse: 0.1, isAssumed: true });
  const counted = gateQuality({ wrong: 100, wrongAccepted: 5, right: 300, rightRefused: 30 });
  expect(counted.isAssumed).toBe(false);
  expect(counted.falseAccept).toBeCloseTo(0.06, 2);
  expect(counted.falseAcceptInterval.low).toBeLessThan(0.05);
  expect(counted.falseAcceptInterval.high).toBeGreaterThan(0.1);
});
