import { loadConfig } from "../src/config/index.ts";
import type { AgentStep } from "../src/domain/index.ts";
import { routeStep } from "../src/models/index.ts";
import {
  entryTier,
  extendOutcomes,
  learnOutcomes,
  planCascade,
  statedGate,
  type Candidate,
  type OutcomeRow,
} from "../src/models/routing/economics/index.ts";
import { scoreComplexity, STEP_TYPES, stepTypeOf } from "../src/models/routing/complexity/index.ts";
import { learntFrom } from "../src/setup/learnt.ts";
import { buildRegistry } from "../src/setup/registry.ts";
import { routingFor } from "../src/setup/routing.ts";
import type { OutcomeRow as StoredOutcome } from "../src/store/index.ts";
import { median, percentile, report } from "./report.ts";
import { seeded } from "../src/models/routing/economics/economics.testkit.ts";

/**
 * How long a routing decision takes. `decide`: the whole of it as an engine makes it (`routeStep` with settings of 20 to 200 agents, rules, and
 * what was learnt from 2,000 attempts): rules, type, complexity, options by tier, entry tier; each step is another object, two of three are refused once.
 *
 * `entry`: of that, the type of a step from its text, its complexity, and the tier to begin with, with outcomes that grow as the decisions are
 * made: each decision's outcome is added to the ledger before the next one, so that learning anew is in the run. It is not in the decision's
 * time: it happens when an outcome is recorded (`extend_p99_us`).
 *
 * Each decision is made in three copies of the same history, which remember and learn alike, and the fastest of the three counts, so that what
 * else runs on the machine is not in the figure; `first_p99_us` is that of the first copy alone, with it. A decision whose like was made before is
 * remembered: `entry_new_p99_us` is that of the others alone.
 *
 * `plan_median_ms` is a whole plan (`planCascade`, sequences of three of twelve agents), which is made for advice and once for a kind of step.
 */
const TIERS = ["free", "mid", "premium"];
const REGISTRIES = [20, 50, 100, 200];
const LEARNT = 2_000;
const WARM = 2_000;
/** New kinds of decisions are rare: nearly all of them come while the engine still warms up, and count from here. */
const WARM_NEW = 20;
const DECISIONS = 10_000;

const TEXTS = [
  "Implement the endpoint that lists orders, with pagination, and its tests.",
  "Fix the crash when the body is empty. The stack trace is below.\n" + "at parse (src/body.ts:12)\n".repeat(20),
  "Rename getUser to fetchUser in all packages.",
  "Review the change for security problems.",
  "Do what the issue says.",
  "Write tests for the parser.",
  "Update the README for the new flags.",
  "Investigate why the nightly run is slow.",
  "Refactor the store so that both backends share the queue.",
  "Migrate the settings to the new schema.",
  "Bump zod and repair what breaks.",
  "There is a race condition between extend and settle.",
];

function measure(agents: number): { decide: number[]; first: number[]; fresh: number[]; extend: number[] } {
  const random = seeded(agents);
  const candidates: Candidate[] = Array.from({ length: agents }, (_, i) => {
    const tier = TIERS[i % 3] ?? "mid";
    return { id: `agent-${i}`, tier, listMicroUsd: { free: 0, mid: 40_000, premium: 400_000 }[tier] ?? 0 };
  });
  const gate = statedGate(0.1, 0.1);
  const row = (n: number): OutcomeRow => {
    const candidate = candidates[Math.floor(random() * agents)] ?? { id: "", tier: "mid" };
    return {
      work: `work-${Math.floor(n / 2)}`,
      type: STEP_TYPES[Math.floor(random() * STEP_TYPES.length)] ?? "other",
      complexity: 1 + Math.floor(random() * 10),
      agent: candidate.id,
      tier: candidate.tier,
      accepted: random() < 0.7,
      microUsd: Math.round(random() * 2 * (candidate.listMicroUsd ?? 0)),
      ms: 1_000,
    };
  };
  const learnt = Array.from({ length: LEARNT }, (_, n) => row(n));
  const copies = [learnOutcomes(learnt), learnOutcomes(learnt), learnOutcomes(learnt)];
  const seen = new Set<string>();
  const [decide, first, fresh, extend]: [number[], number[], number[], number[]] = [[], [], [], []];
  let chosen = 0;
  for (let n = 0; n < WARM + DECISIONS; n++) {
    const text = TEXTS[n % TEXTS.length] ?? "";
    let kind = "";
    const times = copies.map((outcomes) => {
      const asked = candidates.map((c) => ({ ...c }));
      const started = performance.now();
      const { type } = stepTypeOf(text);
      const { score } = scoreComplexity({
        type,
        contextTokens: (n * 97) % 60_000,
        files: n % 11,
        history: { tries: n % 30, accepted: n % 7 },
      });
      const entry = entryTier(asked, TIERS, outcomes, gate, { type, complexity: score });
      const took = (performance.now() - started) * 1_000;
      if (entry) chosen++;
      kind = `${type} ${score}`;
      return took;
    });
    const added = [row(LEARNT + n)];
    const decided = performance.now();
    copies.forEach((outcomes, copy) => (copies[copy] = extendOutcomes(outcomes, added)));
    const extended = performance.now();
    const isNew = !seen.has(kind);
    seen.add(kind);
    if (isNew && n >= WARM_NEW) fresh.push(Math.min(...times));
    if (n < WARM) continue;
    decide.push(Math.min(...times));
    first.push(times[0] ?? 0);
    extend.push(((extended - decided) * 1_000) / copies.length);
  }
  if (chosen !== 3 * (WARM + DECISIONS)) throw new Error("a decision named no agent");
  return { decide, first, fresh, extend };
}

function planMs(): number {
  const random = seeded(12);
  const candidates: Candidate[] = Array.from({ length: 12 }, (_, i) => ({ id: `agent-${i}`, tier: TIERS[i % 3] ?? "mid" }));
  const rows = Array.from({ length: 200 }, (_, work) => {
    const hard = random();
    return candidates.map((c, i): OutcomeRow => ({
      work: `work-${work}`,
      type: "fix",
      complexity: 5,
      agent: c.id,
      tier: c.tier,
      right: random() * (0.6 + i / 20) > hard * 0.6,
      microUsd: Math.round(10_000 * (1 + i * 3) * (1 + hard)),
      ms: 1_000,
    }));
  }).flat();
  const outcomes = learnOutcomes(rows);
  const times = Array.from({ length: 9 }, () => {
    const started = performance.now();
    planCascade(candidates, outcomes, statedGate(0.1, 0.1), { kind: "best-within" });
    return performance.now() - started;
  });
  return median(times);
}

/** The product's own decision, in microseconds: the fastest of three copies, and the first of them. */
function measureWhole(agents: number): { decide: number[]; first: number[] } {
  const random = seeded(agents + 1);
  const entries = Array.from({ length: agents }, (_, i) => `  agent-${i}: { executor: chat, model: p/m${i % 3}, tier: ${TIERS[i % 3]} }`);
  const prices = "{ m0: { input: 0, output: 0 }, m1: { input: 1, output: 4 }, m2: { input: 5, output: 25 } }";
  const text = `agents:\n${entries.join("\n")}\nproviders: { p: { url: "http://127.0.0.1:9/v1", prices: ${prices} } }
rules: [{ when: { labels: secret }, use: { tier: free } }, { when: { paths: ["db/**"], type: migrate }, use: { tier: premium } }]\n`;
  const loaded = loadConfig({ env: {}, home: "/nowhere", projectText: text });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  const { config } = loaded;
  const rows = Array.from({ length: LEARNT }, (_, n): StoredOutcome => {
    const i = Math.floor(random() * agents);
    return {
      attempt: `r${n}/a#1`,
      runId: `r${n}`,
      step: "a",
      project: "/p",
      at: n,
      agent: `agent-${i}`,
      tier: TIERS[i % 3] ?? "mid",
      type: STEP_TYPES[Math.floor(random() * STEP_TYPES.length)] ?? "other",
      complexity: 1 + Math.floor(random() * 10),
      verdict: random() < 0.7 ? "accepted" : "refused",
      gates: [{ name: "test", kind: "command", verdict: "passed" }],
      microUsd: Math.round(random() * 100_000),
      ms: 1_000,
    };
  });
  const copies = Array.from({ length: 3 }, () => routingFor(config, learntFrom(rows))("", ""));
  const registered = buildRegistry(config, new Map()).list();
  const [decide, first]: [number[], number[]] = [[], []];
  for (let n = 0; n < WARM + DECISIONS; n++) {
    const assigned = n % 3 === 0 ? { not: [], reached: { tier: "free", tries: 1 } } : undefined;
    const times = copies.map((routing) => {
      const step = stepOf(n);
      const started = performance.now();
      const routed = routeStep(step, registered, routing, assigned);
      const took = (performance.now() - started) * 1_000;
      if (!routed.ok || routed.route.candidates.length === 0) throw new Error("a decision named no agent");
      return took;
    });
    if (n < WARM) continue;
    decide.push(Math.min(...times));
    first.push(times[0] ?? 0);
  }
  return { decide, first };
}

const stepOf = (n: number): AgentStep => ({
  kind: "agent",
  prompt: TEXTS[n % TEXTS.length] ?? "",
  agent: { capability: n % 5 === 0 ? ["edit"] : [] },
  path: `step-${n}`,
  needs: [],
  readonly: false,
  outputs: { files: Array.from({ length: n % 4 }, (_, i) => `src/file-${i}.ts`) },
  gates: [],
  setup: [],
  retry: { attempts: 3, backoffMs: 0 },
  timeoutMs: 1,
  env: {},
  touches: n % 7 === 0 ? ["db/**"] : [],
  priority: 0,
});

function main(): void {
  const whole = REGISTRIES.map((agents) => ({ agents, ...measureWhole(agents) }));
  const decided = whole.flatMap((m) => m.decide);
  const measured = REGISTRIES.map((agents) => ({ agents, ...measure(agents) }));
  const all = measured.flatMap((m) => m.decide);
  const fresh = measured.flatMap((m) => m.fresh);
  report(
    "route",
    {
      decide_p99_us: percentile(decided, 99),
      decide_median_us: median(decided),
      decide_first_p99_us: percentile(
        whole.flatMap((m) => m.first),
        99,
      ),
      ...Object.fromEntries(whole.map((m) => [`decide_p99_us_${m.agents}_agents`, percentile(m.decide, 99)])),
      ...Object.fromEntries(whole.map((m) => [`decide_median_us_${m.agents}_agents`, median(m.decide)])),
      entry_p99_us: percentile(all, 99),
      entry_median_us: median(all),
      entry_new_p99_us: percentile(fresh, 99),
      entry_new_median_us: median(fresh),
      entry_new: fresh.length,
      extend_p99_us: percentile(
        measured.flatMap((m) => m.extend),
        99,
      ),
      extend_max_us: measured.reduce((most, m) => Math.max(most, percentile(m.extend, 100)), 0),
      plan_median_ms: planMs(),
      decisions: decided.length,
    },
    { decide_p99_us: "< 50" },
  );
}

main();
