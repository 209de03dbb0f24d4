import type { Columns } from "./columns.ts";
import type { GateQuality } from "./contract.ts";
import { nodeWeights } from "./difficulty.ts";
import { rightGiven } from "./rates.ts";

/** What a sequence of agents is expected to do, alone and against the reference. */
export interface Weighed {
  agents: readonly number[];
  /** Shares of steps that end with a right result, and with a wrong one that was taken. */
  right: number;
  wrong: number;
  /** What plans are compared by: see `Rules`. */
  value: number;
  microUsd: number;
  /** Standard errors of the differences to the reference, paired by work where the ledger allows it. */
  valueError: number;
  microUsdError: number;
  /** Standard errors of the figures themselves. */
  ownRightError: number;
  ownMicroUsdError: number;
  /** Pieces of work on which all of them and the reference were seen. */
  joint: number;
}

export interface Rules {
  gate: GateQuality;
  /**
   * The last agent's result is taken without a gate: then every step ends rightly or wrongly, and plans are compared by the right ones. Absent:
   * the gate judges it too, and a refusal leaves the step undone; then a wrong result that was accepted takes away what a right one is worth,
   * else a plan would be the better the more often it tries until a gate gives way.
   */
  takesLast?: boolean | undefined;
}

/** What a result adds to the value, right or wrong, where it is judged, and where it is the last. */
const worth = (isRight: number, isLast: boolean, { gate, takesLast }: Rules): number =>
  takesLast === true ? isRight * (isLast ? 1 : 1 - gate.falseRefuse) : isRight * (1 - gate.falseRefuse) - (1 - isRight) * gate.falseAccept;

/**
 * What the common difficulty says counts as much as this many pieces of joint work. After a refusal only the hard third of the work is left
 * to learn from, and a thousand plans are compared on it: a weak prior picks the luckiest of them.
 */
const PRIOR_STRENGTH = 40;
/** Of what it costs, less: the ledger knows a cost from every attempt, and the model takes hard work to be less dear than it is. */
const COST_PRIOR_STRENGTH = 8;
/** Fewer than this many joint pieces of work, and differences are not taken piece by piece. */
const ENOUGH_PAIRS = 12;
/**
 * Nor where they are less than this part of the work that either side was seen on. Where the reference only comes after refusals, they are the
 * hard work alone, on which the plan tried it too: the same difference piece by piece, and no doubt left.
 */
const MOST_OF_IT = 0.8;

/** What is known after a sequence of agents was refused: where the next one begins. Shared by all plans that begin with it. */
interface Prefix {
  agents: readonly number[];
  /** By piece of work: weight times P(all were refused); 0 also where one of them was not seen. */
  reach: Float64Array;
  /** By piece of work: the value so far, and what was spent. NaN where one of them was not seen. */
  value: Float64Array;
  microUsd: Float64Array;
  /** By difficulty: P(all were refused), by the model alone. */
  reached: Float64Array;
  comesFar: number;
  expectedRight: number;
  expectedWrong: number;
  expectedValue: number;
  expectedMicroUsd: number;
  rightVariance: number;
  microUsdVariance: number;
}

const start = (columns: Columns): Prefix => ({
  agents: [],
  reach: columns.weights,
  value: new Float64Array(columns.weights.length),
  microUsd: new Float64Array(columns.weights.length),
  reached: Float64Array.from(nodeWeights),
  comesFar: 1,
  expectedRight: 0,
  expectedWrong: 0,
  expectedValue: 0,
  expectedMicroUsd: 0,
  rightVariance: 0,
  microUsdVariance: 0,
});

/** One more agent at the end of a sequence: what it is expected to do there. */
interface Stage {
  right: number;
  microUsd: number;
  /** What it is known from, in pieces of work. */
  strength: number;
}

/**
 * What an agent does given that all before it were refused: from the work on which all of them were seen, each piece counted by the
 * probability to come that far; drawn towards what the common difficulty says, as a posterior mean whose prior is worth PRIOR_STRENGTH
 * pieces (of its cost: COST_PRIOR_STRENGTH). With every agent seen on every piece and no prior this is the replay of the cascade over the ledger; with an empty ledger it is the
 * model alone. A first attempt has its Beta posterior. Cascades of models: Chen, Zaharia and Zou 2023 (FrugalGPT).
 */
function stageOf(prefix: Prefix, agent: number, columns: Columns, gate: GateQuality, found: Found): Stage {
  const own = columns.rates[agent];
  if (!own) return { right: 0, microUsd: 0, strength: 1 };
  if (prefix.agents.length === 0) return { right: own.rate, microUsd: own.microUsd, strength: own.a + own.b };
  const said = latent(agent, prefix, columns, gate);
  const seen = found.squares === 0 ? 0 : (found.sum * found.sum) / found.squares;
  const drawn = (sum: number, to: number, strength: number): number =>
    ((found.sum === 0 ? 0 : (sum * seen) / found.sum) + strength * to) / (seen + strength);
  return {
    right: drawn(found.right, said.right, PRIOR_STRENGTH),
    microUsd: drawn(found.microUsd, said.microUsd, COST_PRIOR_STRENGTH),
    strength: seen + COST_PRIOR_STRENGTH,
  };
}

/** Sums over the work that comes to a stage. */
interface Found {
  sum: number;
  squares: number;
  right: number;
  microUsd: number;
}

/** The sequence with one more agent, refused too. */
function refused(prefix: Prefix, agent: number, columns: Columns, rules: Rules): Prefix {
  const { falseAccept, falseRefuse } = rules.gate;
  const isAgain = prefix.agents.includes(agent);
  const rate = columns.rates[agent]?.rate ?? 0.5;
  const [y, c] = [columns.right[agent], columns.microUsd[agent]];
  const works = columns.weights.length;
  const next = { reach: new Float64Array(works), value: new Float64Array(works), microUsd: new Float64Array(works) };
  const found: Found = { sum: 0, squares: 0, right: 0, microUsd: 0 };
  for (let t = 0; t < works; t++) {
    const r = prefix.reach[t] ?? 0;
    const first = y?.[t] ?? Number.NaN;
    const [valueSoFar, spentSoFar] = [prefix.value[t] ?? 0, prefix.microUsd[t] ?? 0];
    if (r <= 0 || Number.isNaN(first)) {
      // What cannot come here needs no observation; what could and has none says nothing of this plan.
      next.value[t] = r <= 0 ? valueSoFar : Number.NaN;
      next.microUsd[t] = spentSoFar;
      continue;
    }
    const yt = isAgain ? again(first, rate, columns.alike) : first;
    const ct = c?.[t] ?? 0;
    found.sum += r;
    found.squares += r * r;
    found.right += r * yt;
    found.microUsd += r * ct;
    const share = r / (columns.weights[t] ?? 1);
    next.value[t] = valueSoFar + share * worth(yt, false, rules);
    next.microUsd[t] = spentSoFar + share * ct;
    next.reach[t] = r * (yt * falseRefuse + (1 - yt) * (1 - falseAccept));
  }
  const stage = stageOf(prefix, agent, columns, rules.gate, found);
  return {
    ...next,
    ...added(prefix, stage, agent, false, columns, rules),
    reached: passedOn(agent, prefix, columns, rules.gate),
    comesFar: prefix.comesFar * (stage.right * falseRefuse + (1 - stage.right) * (1 - falseAccept)),
  };
}

function added(
  prefix: Prefix,
  stage: Stage,
  agent: number,
  isLast: boolean,
  columns: Columns,
  rules: Rules,
): Omit<Prefix, "reach" | "value" | "microUsd" | "reached" | "comesFar"> {
  const far = prefix.comesFar;
  const isTaken = isLast && rules.takesLast === true;
  const [keeps, passes] = isTaken ? [1, 1] : [1 - rules.gate.falseRefuse, rules.gate.falseAccept];
  const swing = worth(1, isLast, rules) - worth(0, isLast, rules);
  const costError = prefix.agents.length === 0 ? (columns.rates[agent]?.microUsdError ?? 0) : stage.microUsd / Math.sqrt(stage.strength);
  return {
    agents: [...prefix.agents, agent],
    expectedRight: prefix.expectedRight + far * stage.right * keeps,
    expectedWrong: prefix.expectedWrong + far * (1 - stage.right) * passes,
    expectedValue: prefix.expectedValue + far * worth(stage.right, isLast, rules),
    expectedMicroUsd: prefix.expectedMicroUsd + far * stage.microUsd,
    rightVariance: prefix.rightVariance + (far * swing) ** 2 * ((stage.right * (1 - stage.right)) / (stage.strength + 1)),
    microUsdVariance: prefix.microUsdVariance + (far * costError) ** 2,
  };
}

/** Weighs the cascade that ends with this agent. One pass over the ledger's work, and nothing kept. */
function ending(prefix: Prefix, agent: number, reference: number, columns: Columns, rules: Rules): Weighed {
  const isAgain = prefix.agents.includes(agent);
  const rate = columns.rates[agent]?.rate ?? 0.5;
  const [y, c, baseRight, baseCost] = [
    columns.right[agent],
    columns.microUsd[agent],
    columns.right[reference],
    columns.microUsd[reference],
  ];
  const found: Found = { sum: 0, squares: 0, right: 0, microUsd: 0 };
  let [joint, either, sum, squares, gain, gainSquares, cost, costSquares] = [0, 0, 0, 0, 0, 0, 0, 0];
  const beginsRight = columns.right[prefix.agents[0] ?? agent];
  for (let t = 0; t < columns.weights.length; t++) {
    const [r, w] = [prefix.reach[t] ?? 0, columns.weights[t] ?? 0];
    const first = y?.[t] ?? Number.NaN;
    let [value, spent] = [prefix.value[t] ?? 0, prefix.microUsd[t] ?? 0];
    const base = baseRight?.[t] ?? Number.NaN;
    if (w > 0 && !(Number.isNaN(base) && Number.isNaN(beginsRight?.[t] ?? Number.NaN))) either++;
    if (r > 0) {
      if (Number.isNaN(first)) continue;
      const yt = isAgain ? again(first, rate, columns.alike) : first;
      const ct = c?.[t] ?? 0;
      found.sum += r;
      found.squares += r * r;
      found.right += r * yt;
      found.microUsd += r * ct;
      value += (r / w) * worth(yt, true, rules);
      spent += (r / w) * ct;
    }
    if (Number.isNaN(value) || Number.isNaN(base) || w <= 0) continue;
    const [dv, dc] = [value - worth(base, true, rules), spent - (baseCost?.[t] ?? 0)];
    joint++;
    sum += w;
    squares += w * w;
    gain += w * dv;
    gainSquares += w * dv * dv;
    cost += w * dc;
    costSquares += w * dc * dc;
  }
  const stage = stageOf(prefix, agent, columns, rules.gate, found);
  const all = added(prefix, stage, agent, true, columns, rules);
  const effective = sum === 0 ? 1 : Math.max(1, (sum * sum) / squares - 1);
  const error = (mean: number, square: number): number => Math.sqrt(Math.max(0, square / sum - (mean / sum) ** 2) / effective);
  const base = columns.rates[reference];
  const swing = worth(1, true, rules) - worth(0, true, rules);
  const baseVariance = base ? (swing ** 2 * base.rate * (1 - base.rate)) / (base.a + base.b + 1) : 0.25;
  const isReference = prefix.agents.length === 0 && agent === reference;
  const isPaired = joint >= ENOUGH_PAIRS && joint >= MOST_OF_IT * either;
  return {
    agents: all.agents,
    right: all.expectedRight,
    wrong: all.expectedWrong,
    value: all.expectedValue,
    microUsd: all.expectedMicroUsd,
    valueError: isReference ? 0 : isPaired ? error(gain, gainSquares) : Math.sqrt(all.rightVariance + baseVariance),
    microUsdError: isReference
      ? 0
      : isPaired
        ? error(cost, costSquares)
        : Math.sqrt(all.microUsdVariance + (base?.microUsdError ?? 0) ** 2),
    ownRightError: Math.sqrt(all.rightVariance),
    ownMicroUsdError: Math.sqrt(all.microUsdVariance),
    joint,
  };
}

/** Weighs one cascade by itself. */
export function weigh(agents: readonly number[], reference: number, columns: Columns, rules: Rules): Weighed {
  const before = agents.slice(0, -1).reduce((prefix, agent) => refused(prefix, agent, columns, rules), start(columns));
  return ending(before, agents.at(-1) ?? reference, reference, columns, rules);
}

/** Weighs every sequence of up to `depth` of the agents. */
export function weighAll(
  among: readonly number[],
  depth: number,
  mayRepeat: boolean,
  reference: number,
  columns: Columns,
  rules: Rules,
): Weighed[] {
  const found: Weighed[] = [];
  const from = (prefix: Prefix): void => {
    for (const agent of among) {
      if (prefix.agents.includes(agent) && !(mayRepeat && prefix.agents.at(-1) === agent)) continue;
      found.push(ending(prefix, agent, reference, columns, rules));
      if (prefix.agents.length + 1 < depth) from(refused(prefix, agent, columns, rules));
    }
  };
  from(start(columns));
  return found;
}

/** P(right) of another attempt of an agent whose first was right with probability `first` (Beta-binomial). */
const again = (first: number, rate: number, alike: number): number => rate * (1 - alike) + alike * first;

/** P(right) at a difficulty, given what came before. */
const atDifficulty = (p: number, isAgain: boolean, alike: number, gate: GateQuality): number =>
  isAgain ? again(rightGiven(false, p, gate), p, alike) : p;

/** What the common difficulty says of an agent that comes after the prefix. */
function latent(agent: number, prefix: Prefix, columns: Columns, gate: GateQuality): { right: number; microUsd: number } {
  const rates = columns.byDifficulty[agent];
  const own = columns.rates[agent];
  if (!rates || !own) return { right: 0.5, microUsd: 0 };
  const isAgain = prefix.agents.includes(agent);
  let [mass, right] = [0, 0];
  for (let q = 0; q < rates.length; q++) {
    const m = prefix.reached[q] ?? 0;
    mass += m;
    right += m * atDifficulty(rates[q] ?? 0, isAgain, columns.alike, gate);
  }
  const isRight = mass <= 1e-12 ? own.rate : right / mass;
  const perRight = own.microUsd / (own.rate + columns.wrongOverRight * (1 - own.rate));
  return { right: isRight, microUsd: perRight * (isRight + columns.wrongOverRight * (1 - isRight)) };
}

function passedOn(agent: number, prefix: Prefix, columns: Columns, gate: GateQuality): Float64Array {
  const isAgain = prefix.agents.includes(agent);
  return prefix.reached.map((m, q) => {
    const p = atDifficulty(columns.byDifficulty[agent]?.[q] ?? 0, isAgain, columns.alike, gate);
    return m * (p * gate.falseRefuse + (1 - p) * (1 - gate.falseAccept));
  });
}
