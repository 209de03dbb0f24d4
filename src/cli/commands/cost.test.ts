import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import type { View } from "../../models/index.ts";
import type { ToldEstimate } from "../show/cost-estimate.ts";
import { MadeUpLedger, type MadeUpAttempt, type MadeUpRun } from "./made-up-ledger.testkit.ts";

vi.setConfig({ testTimeout: 120_000 });

/** 1000 tokens in and 100 out, as each made-up attempt has, cost 1100, 11,000 and 55,000 micro-dollars. */
const settings = `catalog: false
agents:
  small: { executor: chat, model: p/small, tier: free }
  large: { executor: chat, model: p/large, tier: mid }
  huge: { executor: chat, model: p/huge, tier: premium }
providers:
  p:
    url: http://127.0.0.1:9/v1
    key-env: LEDGER_KEY
    prices: { small: { input: 1, output: 1 }, large: { input: 10, output: 10 }, huge: { input: 50, output: 50 } }
`;
const pipeline = `steps:
  fix: { prompt: Fix the total, gates: ["true"], escalate: { entry: free } }
  look: { command: "true", readonly: true, needs: [fix] }
  each: { foreach: "['a', 'b']", prompt: "Document \${{ item }}", gates: ["true"], agent: huge, retry: 1 }
`;
const small = (isAccepted: boolean, more: Partial<MadeUpAttempt> = {}): MadeUpAttempt => ({
  agent: "small",
  tier: "free",
  microUsd: 1100,
  isAccepted,
  ...more,
});
const large = (isAccepted: boolean, more: Partial<MadeUpAttempt> = {}): MadeUpAttempt => ({
  agent: "large",
  tier: "mid",
  microUsd: 11_000,
  isAccepted,
  ...more,
});
/** Of ten steps seven are done by the small agent, and all others by the large one. */
const many: MadeUpRun[] = Array.from({ length: 60 }, (_, i) => ({
  attempts: i % 10 < 7 ? [small(true, { feedback: "right" })] : [small(false, { feedback: "wrong" }), large(true, { feedback: "right" })],
  ...(i % 2 === 0 ? { policy: "other" } : {}),
}));
const files = { "stepfall.yaml": settings, "p.yaml": pipeline };
const ledgerWith = async (runs: readonly MadeUpRun[]): Promise<MadeUpLedger> => {
  const ledger = new MadeUpLedger(files);
  await ledger.write(runs);
  return ledger;
};

test("a project's ledger is summed by tier, step, policy and day; another project's runs come with --all only", async () => {
  const ledger = await ledgerWith(many);
  await ledger.write([{ attempts: [large(true)] }], "/elsewhere");
  const by = async (...args: string[]) => (await ledger.run("cost", "--json", ...args)).json() as unknown as View;
  const spent = 60 * 1100 + 18 * 11_000;
  const tiers = await by("--by", "tier");
  expect(tiers.total).toMatchObject({ calls: 78, microUsd: spent, attempts: 78, accepted: 60, microUsdPerAccepted: spent / 60 });
  expect(tiers.rows.map((r) => [r.name, r.microUsd, r.attempts, r.accepted, r.microUsdPerAccepted])).toEqual([
    ["mid", 18 * 11_000, 18, 18, 11_000],
    ["free", 66_000, 60, 42, Math.round(66_000 / 42)],
  ]);
  expect((await by("--by", "step")).rows.map((r) => r.name)).toEqual(["mend: fix"]);
  expect((await by("--by", "policy")).rows.map((r) => [r.name, r.attempts]).toSorted()).toEqual([
    ["none", 42],
    ["other", 36],
  ]);
  expect((await by("--all")).total).toMatchObject({ calls: 79 });
  expect(await by("--since", "1s")).toMatchObject({ runs: 0, total: { calls: 0, attempts: 0 } });
  const days = await ledger.run("cost", "--by", "day");
  expect(days.text).toContain(`Days are those of ${new Intl.DateTimeFormat().resolvedOptions().timeZone}.`);
  expect((await ledger.run("cost", "--by", "weather")).code).toBe(2);
  expect((await ledger.run("cost", "run0001", "--advise")).code).toBe(2);
});

test("savings are named, are called estimates, and say how they were computed; what was never tried has no share of right results", async () => {
  const ledger = await ledgerWith(many);
  const { text } = await ledger.run("cost", "--by", "agent");
  expect(text).toContain("Savings (estimates: it was not done otherwise). 60 judged steps cost $0.2640.");
  expect(text).toMatch(/^always-premium +huge +\$\d.*not known: 0 attempts of huge$/m);
  expect(text).toMatch(/^best-single +large .*; as it was done 100 %$/m);
  expect(text).toMatch(/^always-premium: One attempt of huge at each of 60 steps: .* An estimate with a 95 % interval/m);
  const { savings } = (await ledger.run("cost", "--by", "agent", "--json")).json() as {
    savings: { counterfactuals: { name: string; microUsd: { mean: number } }[] };
  };
  // 60 attempts of the huge agent, at its price for the tokens that attempts here used; steps that were dear for others are dearer.
  const [premium] = savings.counterfactuals;
  expect(premium?.name).toBe("always-premium");
  expect(premium?.microUsd.mean).toBeGreaterThan(60 * 55_000 * 0.9);
  expect(premium?.microUsd.mean).toBeLessThan(60 * 55_000 * 2);
});

test("where the ledger cannot carry a comparison, it says what is missing and shows no figure", async () => {
  const ledger = await ledgerWith(many.slice(0, 3));
  const { text } = await ledger.run("cost", "--by", "agent");
  expect(text).toContain("Savings: too little data: 3 judged steps, at least 10 are needed.");
  const advice = await ledger.run("cost", "--advise");
  expect(advice.code).toBe(0);
  expect(advice.text).toMatch(/^Too little data: 3 judged attempts at 3 steps; at least 17 more attempts needed\.$/m);
  expect(advice.text).toContain("small has 3; 7 more are needed.");
  expect(advice.text).not.toMatch(/sure|cascade/);
});

/** What an attempt costs varies. */
const more = many.slice(0, 40).map(({ attempts }, i) => ({
  attempts: attempts.map((a) => (a.agent === "large" ? { ...a, microUsd: 9_000 + ((i * 3_700) % 4_000) } : a)),
}));

test("of an agent that only saw what another was refused, nobody knows what it does alone: there is no advice, and no confidence", async () => {
  const ledger = await ledgerWith([...many, ...more]);
  const { code, text } = await ledger.run("cost", "--advise");
  expect(code).toBe(0);
  expect(text).toMatch(/^Too little data: 130 judged attempts at 100 steps; they cannot be compared\.$/m);
  expect(text).toContain("large was tried on 30 steps, and on 30 of them only after others were refused");
  expect(text).not.toMatch(/sure|confidence|Advice|cascade/);
  const { advice } = (await ledger.run("cost", "--advise", "--json")).json() as { advice: unknown };
  expect(advice).toMatchObject({ kind: "too-little", unseen: [{ agent: "large", attempts: 30, alone: 0 }] });
});

test("advice names the plan and the best agent alone, with intervals, confidence and what they rest on", async () => {
  const begun = Array.from({ length: 20 }, (_, i) => ({
    attempts: [
      large(i % 3 > 0, { feedback: i % 3 > 0 ? ("right" as const) : ("wrong" as const), microUsd: 9_000 + ((i * 3_700) % 4_000) }),
    ],
  }));
  const ledger = await ledgerWith([...many, ...more, ...begun]);
  const { code, text } = await ledger.run("cost", "--advise");
  expect(code).toBe(0);
  expect(text).toMatch(/^Advice \(an estimate\): a cascade: .*small, then large/m);
  expect(text).toMatch(/The best single agent is large: /);
  expect(text).toMatch(/that it costs less than large alone: 99 % sure\.$/m);
  expect(text).toMatch(/^huge +premium +0 +not tried; by its prices \$\S+ +not known$/m);
  expect(text).toContain("From 150 judged attempts at 120 steps; of 150 it became known later whether they were right.");
});

test("gates are measured by what became known later: false accepts and false refusals with counts, and too little is said", async () => {
  const runs: MadeUpRun[] = [
    ...Array.from({ length: 12 }, (_, i) => ({ attempts: [small(true, { feedback: i < 3 ? ("wrong" as const) : ("right" as const) })] })),
    ...Array.from({ length: 9 }, () => ({ attempts: [small(false)] })),
    { attempts: [small(true)] },
  ];
  const ledger = await ledgerWith(runs);
  const { text } = await ledger.run("gates");
  expect(text).toMatch(
    /^check --key \*\*\* +command +13 +9 +0 +12 \(\+9 taken for wrong\) +3 of 12: 25 % \(9 to 53 %\) +0 of 9: too little known +2\.0 s$/m,
  );
  const { gates } = (await ledger.run("gates", "--json")).json() as { gates: unknown[] };
  expect(gates).toMatchObject([{ name: "check --key ***", falseAccepts: { hits: 3, of: 12 }, verdicts: { passed: 13, refused: 9 } }]);
});

test("an estimate comes before a run: from the price list, then from attempts; nothing is started", async () => {
  const ledger = new MadeUpLedger(files);
  const estimate = async () => (await ledger.run("run", "p.yaml", "--estimate", "--json")).json() as unknown as ToldEstimate;
  const fresh = await estimate();
  expect(existsSync(join(ledger.home, "stepfall.db"))).toBe(false);
  expect(fresh.steps).toMatchObject([
    { step: "fix", agent: "small", tier: "free", later: ["large", "huge"], type: "fix", learntFrom: 0 },
    { step: "look", kind: "command", expectedMicroUsd: 0 },
    { step: "each/a", agent: "huge", learntFrom: 0, expectedMicroUsd: 3_200_000 },
    { step: "each/b", agent: "huge" },
  ]);
  expect(fresh.prices).toContain("which is assumed and not measured");
  expect(fresh.range.low).toBeLessThan(fresh.expectedMicroUsd);
  expect(fresh.range.high).toBeGreaterThan(fresh.expectedMicroUsd);

  await ledger.write(many);
  const learnt = await estimate();
  expect(learnt.steps).toMatchObject([{ step: "fix", learntFrom: 60, ofThisType: 60 }, {}, { expectedMicroUsd: 55_000 }, {}]);
  expect(learnt.expectedMicroUsd).toBeLessThan(fresh.expectedMicroUsd);
  const { code, text } = await ledger.run("do", "Fix the total", "--gate", "true", "--estimate");
  expect(code).toBe(0);
  expect(text).toMatch(/learnt from 60 attempts, 60 of type fix$/m);
  expect(text).toMatch(/^Expected: \$\S+, and with 80 % between \$\S+ and \$\S+\. An estimate; nothing was started\.$/m);
  expect(readdirSync(ledger.home).filter((name) => name === "runs" || name === "workspaces")).toEqual([]);
});
