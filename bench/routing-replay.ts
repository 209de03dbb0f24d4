import {
  learnOutcomes,
  planCascade,
  statedGate,
  type Candidate,
  type CascadePart,
  type CascadePlan,
  type GateQuality,
  type Objective,
  type OutcomeRow,
  type PlanOptions,
} from "../src/models/routing/economics/index.ts";
import { seeded } from "../src/models/routing/economics/economics.testkit.ts";

/** Outcomes of several models on the same tasks, complete. */
export interface Table {
  models: readonly string[];
  tasks: readonly string[];
  /** By task, by model. */
  right: readonly (readonly boolean[])[];
  microUsd: readonly (readonly number[])[];
}

/** What a policy is expected to do at one task: the gate's chance is taken as its expectation, not drawn. */
export interface Outcome {
  right: number;
  microUsd: number;
}

/** A cascade replayed at one task. The last result is taken without a gate, as in the baselines beside the data. */
export function replay(parts: readonly CascadePart[], table: Table, task: number, gate: GateQuality): Outcome {
  const total: Outcome = { right: 0, microUsd: 0 };
  for (const { share, agents } of parts) {
    let reach = share;
    agents.forEach((agent, stage) => {
      const model = table.models.indexOf(agent);
      const isRight = table.right[task]?.[model] === true;
      total.microUsd += reach * (table.microUsd[task]?.[model] ?? 0);
      if (stage === agents.length - 1) total.right += isRight ? reach : 0;
      else {
        total.right += isRight ? reach * (1 - gate.falseRefuse) : 0;
        reach *= isRight ? gate.falseRefuse : 1 - gate.falseAccept;
      }
    });
  }
  return total;
}

function shuffled(count: number, random: () => number): number[] {
  const order = Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [order[i], order[j]] = [order[j] ?? 0, order[i] ?? 0];
  }
  return order;
}

export const only = (table: Table, keep: (model: string) => boolean): Table => {
  const kept = table.models.flatMap((m, i) => (keep(m) ? [i] : []));
  return {
    tasks: table.tasks,
    models: kept.map((i) => table.models[i] ?? ""),
    right: table.right.map((r) => kept.map((i) => r[i] === true)),
    microUsd: table.microUsd.map((c) => kept.map((i) => c[i] ?? 0)),
  };
};

interface Single {
  model: string;
  right: number;
  microUsd: number;
}

const singles = (table: Table, tasks: readonly number[]): Single[] =>
  table.models.map((model, m) => ({
    model,
    right: tasks.filter((t) => table.right[t]?.[m]).length / tasks.length,
    microUsd: tasks.reduce((sum, t) => sum + (table.microUsd[t]?.[m] ?? 0), 0) / tasks.length,
  }));

const NEAR = 0.01 + 1e-9;
const near = (all: readonly Single[]): Single[] => all.filter((s) => s.right >= Math.max(...all.map((x) => x.right)) - NEAR);
const cheapest = (all: readonly Single[]): Single =>
  [...all].sort((a, b) => a.microUsd - b.microUsd)[0] ?? { model: "", right: 0, microUsd: 0 };
const dearest = (all: readonly Single[]): Single =>
  [...all].sort((a, b) => b.microUsd - a.microUsd)[0] ?? { model: "", right: 0, microUsd: 0 };

/** Thirds by price: cheap, middle and dear. */
const tierOf = (all: readonly Single[], model: string): string => {
  const rank = [...all].sort((a, b) => a.microUsd - b.microUsd).findIndex((s) => s.model === model);
  return ["free", "mid", "premium"][Math.floor((3 * rank) / all.length)] ?? "premium";
};

export const POLICIES = ["strongest", "static", "waterfall", "constant", "stepfall", "frugal", "oracle"] as const;
export type Policy = (typeof POLICIES)[number];

export interface Settings {
  splits: number;
  seed: number;
  trainShare: number;
  falseAccept: number;
  trueAccept: number;
  options?: PlanOptions;
}

export interface Replayed {
  /** By policy, by task: the mean over the splits that held the task out. */
  means: Record<Policy, Outcome[]>;
  plans: CascadePlan[];
}

/**
 * Learns on a part of the tasks, chosen at random, and is scored on the others, many times. `stepfall` and `frugal` are `planCascade` over
 * the training part as a ledger: the most right results at no more than the static choice's cost, and the cheapest with the strongest's share.
 */
export function replaySplits(table: Table, settings: Settings): Replayed {
  const gate = statedGate(settings.falseAccept, 1 - settings.trueAccept);
  const random = seeded(settings.seed);
  const all = table.tasks.map((_, t) => t);
  const sums = Object.fromEntries(POLICIES.map((p) => [p, all.map(() => ({ right: 0, microUsd: 0 }))])) as Record<Policy, Outcome[]>;
  const held = all.map(() => 0);
  const plans: CascadePlan[] = [];
  // Known in hindsight, as in the baselines: of the models within a point of the best the dearest, which is what somebody takes who does not ask for the price.
  const strongest = dearest(near(singles(table, all))).model;
  for (let split = 0; split < settings.splits; split++) {
    const order = shuffled(table.tasks.length, random);
    const cut = Math.round(order.length * settings.trainShare);
    const [train, test] = [order.slice(0, cut), order.slice(cut)];
    const known = singles(table, train);
    const statics = cheapest(near(known)).model;
    const candidates: Candidate[] = table.models.map((id) => ({ id, tier: tierOf(known, id) }));
    const outcomes = learnOutcomes(ledgerOf(table, train, candidates));
    const plan = (objective: Objective): readonly CascadePart[] => {
      const made = planCascade(candidates, outcomes, gate, objective, { takesLast: true, ...settings.options });
      plans.push(made);
      return made.parts;
    };
    const alone = (model: string): CascadePart[] => [{ share: 1, agents: [model] }];
    const bestOf = (tier: string): string[] =>
      known
        .filter((s) => tierOf(known, s.model) === tier)
        .sort((a, b) => b.right - a.right)
        .slice(0, 1)
        .map((s) => s.model);
    const policies: Record<Exclude<Policy, "oracle">, readonly CascadePart[]> = {
      strongest: alone(strongest),
      static: alone(statics),
      waterfall: [{ share: 1, agents: ["free", "mid", "premium"].flatMap(bestOf) }],
      constant: [{ share: 1, agents: [cheapest(known).model, dearest(known).model] }],
      stepfall: plan({ kind: "best-within", reference: statics }),
      frugal: plan({ kind: "cheapest", reference: strongest }),
    };
    for (const task of test) {
      held[task] = (held[task] ?? 0) + 1;
      for (const policy of POLICIES) {
        const got = policy === "oracle" ? oracle(table, task) : replay(policies[policy], table, task, gate);
        const sum = sums[policy][task];
        if (!sum) continue;
        sum.right += got.right;
        sum.microUsd += got.microUsd;
      }
    }
  }
  const kept = all.filter((t) => (held[t] ?? 0) > 0);
  const mean = (outcomes: Outcome[]): Outcome[] =>
    kept.map((t) => ({ right: (outcomes[t]?.right ?? 0) / (held[t] ?? 1), microUsd: (outcomes[t]?.microUsd ?? 0) / (held[t] ?? 1) }));
  return { means: Object.fromEntries(POLICIES.map((p) => [p, mean(sums[p])])) as Record<Policy, Outcome[]>, plans };
}

/** The cheapest model that is right; where none is, the cheapest attempt. */
function oracle(table: Table, task: number): Outcome {
  const costs = table.models.map((_, m) => ({ right: table.right[task]?.[m] === true, microUsd: table.microUsd[task]?.[m] ?? 0 }));
  const right = costs.filter((c) => c.right);
  const best = (right.length > 0 ? right : costs).sort((a, b) => a.microUsd - b.microUsd)[0];
  return { right: right.length > 0 ? 1 : 0, microUsd: best?.microUsd ?? 0 };
}

const ledgerOf = (table: Table, tasks: readonly number[], candidates: readonly Candidate[]): OutcomeRow[] =>
  tasks.flatMap((t) =>
    candidates.map(({ id, tier }, m) => ({
      work: table.tasks[t] ?? "",
      type: "fix",
      complexity: 5,
      agent: id,
      tier,
      right: table.right[t]?.[m] === true,
      microUsd: Math.round(table.microUsd[t]?.[m] ?? 0),
      ms: 0,
    })),
  );

export interface Paired {
  mean: number;
  low: number;
  high: number;
}

/** The mean difference over tasks, and its 95 % interval by bootstrap over tasks: splits share tasks, so they are no replicates. */
export function paired(a: readonly Outcome[], b: readonly Outcome[], of: keyof Outcome, random: () => number, rounds = 2000): Paired {
  const differences = a.map((x, t) => x[of] - (b[t]?.[of] ?? 0));
  const mean = (pick: (i: number) => number): number => {
    let sum = 0;
    for (let i = 0; i < differences.length; i++) sum += differences[pick(i)] ?? 0;
    return sum / differences.length;
  };
  const means = Array.from({ length: rounds }, () => mean(() => Math.floor(random() * differences.length))).sort((x, y) => x - y);
  const at = (p: number): number => means[Math.min(rounds - 1, Math.floor(p * rounds))] ?? 0;
  return { mean: mean((i) => i), low: at(0.025), high: at(0.975) };
}

export const meanOf = (outcomes: readonly Outcome[], of: keyof Outcome): number =>
  outcomes.reduce((sum, o) => sum + o[of], 0) / Math.max(1, outcomes.length);
