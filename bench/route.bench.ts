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
import { median, percentile, report } from "./report.ts";
import { seeded } from "./routing-replay.ts";

/**
 * How long a routing decision takes: the type of a step from its text, its complexity, and the tier to begin with, over registries of 20 to
 * 200 agents with outcomes that grow as the decisions are made: each decision's outcome is added to the ledger before the next one, so that
 * learning anew is in the run. It is not in the decision's time: it happens when an outcome is recorded (`extend_p99_us`).
 *
 * Each decision is made in three copies of the same history, which remember and learn alike, and the fastest of the three counts, so that what
 * else runs on the machine is not in the figure; `first_p99_us` is that of the first copy alone, with it. A decision whose like was made before is
 * remembered: `decide_new_p99_us` is that of the others alone.
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

function main(): void {
  const measured = REGISTRIES.map((agents) => ({ agents, ...measure(agents) }));
  const all = measured.flatMap((m) => m.decide);
  report(
    "route",
    {
      decide_p99_us: percentile(all, 99),
      decide_median_us: median(all),
      decide_new_p99_us: percentile(
        measured.flatMap((m) => m.fresh),
        99,
      ),
      decide_new_median_us: median(measured.flatMap((m) => m.fresh)),
      decide_new: measured.reduce((sum, m) => sum + m.fresh.length, 0),
      first_p99_us: percentile(
        measured.flatMap((m) => m.first),
        99,
      ),
      ...Object.fromEntries(measured.map((m) => [`decide_p99_us_${m.agents}_agents`, percentile(m.decide, 99)])),
      ...Object.fromEntries(measured.map((m) => [`decide_median_us_${m.agents}_agents`, median(m.decide)])),
      extend_p99_us: percentile(
        measured.flatMap((m) => m.extend),
        99,
      ),
      extend_max_us: measured.reduce((most, m) => Math.max(most, percentile(m.extend, 100)), 0),
      plan_median_ms: planMs(),
      decisions: all.length,
    },
    { decide_p99_us: "< 50" },
  );
}

main();
