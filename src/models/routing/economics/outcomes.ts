import type { About, Candidate, Entry, OutcomeRow } from "./contract.ts";

/** What is summed over attempts; a place in `Sums` each. */
export const FIELD = {
  /** Attempts whose truth is known, and how many of them were right. */
  known: 0,
  right: 1,
  /** Attempts of which only the verdict is known, and how many of them were accepted. */
  judged: 2,
  accepted: 3,
  attempts: 4,
  microUsd: 5,
  microUsdSquared: 6,
  ms: 7,
  /** Attempts whose cost is known. */
  priced: 8,
} as const;
const FIELDS = 9;
/** By FIELD. */
export type Sums = Float64Array;

/** One agent's attempts, already weighed for every step they may be asked about. */
export interface AgentOutcomes {
  agent: string;
  tier: string;
  total: Sums;
  /** Weighed for a step of a type, of which it made attempts; for complexity c at c * FIELDS. */
  byType: ReadonlyMap<string, Sums>;
  /** Weighed for a step of any other type. */
  otherwise: Sums;
}

/** What is known of the pieces of work: the attempts at each, in order. */
export interface Work {
  type: string;
  complexity: number;
  attempts: readonly OutcomeRow[];
}

/** All that is learnt from rows up to some point; derived from them, and nothing else. */
export interface Basis {
  size: number;
  agents: ReadonlyMap<string, AgentOutcomes>;
  works: readonly Work[];
}

/** What was answered for one set of candidates, by the question. */
export interface Answers {
  candidates: readonly Candidate[];
  byQuestion: Map<string, Entry | undefined>;
}

/**
 * What the ledger has taught: a snapshot that never changes. `extendOutcomes` answers a new one. Rows are kept in one growing list that
 * snapshots share, each seeing its own length of it; what is derived is computed again once the ledger has grown by a twentieth, so that a
 * row costs amortized constant time and a decision does not wait for it.
 */
export class Outcomes {
  readonly size: number;
  readonly basis: Basis;
  readonly #log: OutcomeRow[];
  /** What `entryTier` answered on this basis. */
  readonly entries: Answers[];
  /** What `entryTier` was asked lately: asked again when the ledger is learnt anew, so that no decision waits for it. */
  readonly asked: ((outcomes: Outcomes) => unknown)[];

  constructor(log: OutcomeRow[], before?: Outcomes) {
    this.#log = log;
    this.size = log.length;
    const isFresh = before !== undefined && this.size - before.basis.size <= before.basis.size / 20;
    this.basis = isFresh ? before.basis : learn(log);
    this.entries = isFresh ? before.entries : [];
    this.asked = isFresh ? before.asked : [];
    if (!isFresh) for (const ask of before?.asked ?? []) ask(this);
  }

  extend(rows: readonly OutcomeRow[]): Outcomes {
    if (rows.length === 0) return this;
    // Somebody else extended the same snapshot: its rows are not ours.
    const log = this.#log.length === this.size ? this.#log : this.#log.slice(0, this.size);
    for (const row of rows) log.push(row);
    return new Outcomes(log, this);
  }

  rows(): readonly OutcomeRow[] {
    return this.#log.slice(0, this.size);
  }
}

export const learnOutcomes = (rows: readonly OutcomeRow[] = []): Outcomes => new Outcomes([...rows]);
export const extendOutcomes = (outcomes: Outcomes, rows: readonly OutcomeRow[]): Outcomes => outcomes.extend(rows);

function learn(rows: readonly OutcomeRow[]): Basis {
  const agents = new Map<string, { agent: string; tier: string; total: Sums; otherwise: Sums; byType: Map<string, Sums> }>();
  const works = new Map<string, { type: string; complexity: number; attempts: OutcomeRow[] }>();
  for (const row of rows) {
    const agent = agents.get(row.agent) ?? {
      agent: row.agent,
      tier: row.tier,
      total: sums(1),
      otherwise: sums(LEVELS),
      byType: new Map<string, Sums>(),
    };
    agents.set(row.agent, agent);
    agent.tier = row.tier;
    const ofType = agent.byType.get(row.type) ?? sums(LEVELS);
    agent.byType.set(row.type, ofType);
    const at = level(row.complexity) * FIELDS;
    add(agent.total, 0, row);
    add(agent.otherwise, at, row);
    add(ofType, at, row);
    const work = works.get(row.work);
    if (work) work.attempts.push(row);
    else works.set(row.work, { type: row.type, complexity: row.complexity, attempts: [row] });
  }
  for (const agent of agents.values()) {
    agent.otherwise = spread(agent.otherwise).map((x) => OTHER_TYPE * x);
    for (const [type, own] of agent.byType)
      agent.byType.set(
        type,
        spread(own).map((x, i) => (1 - OTHER_TYPE) * x + (agent.otherwise[i] ?? 0)),
      );
  }
  return { size: rows.length, agents, works: [...works.values()] };
}

/** Complexity is 1 to 10; place 0 stays empty. */
const LEVELS = 11;
const level = (complexity: number): number => Math.min(10, Math.max(1, Math.round(complexity)));
const sums = (levels: number): Sums => new Float64Array(levels * FIELDS);

function add(s: Sums, at: number, row: OutcomeRow): void {
  const count = (field: number, by: number): void => {
    s[at + field] = (s[at + field] ?? 0) + by;
  };
  if (row.right !== undefined) {
    count(FIELD.known, 1);
    count(FIELD.right, Number(row.right));
  } else if (row.accepted !== undefined) {
    count(FIELD.judged, 1);
    count(FIELD.accepted, Number(row.accepted));
  }
  count(FIELD.attempts, 1);
  count(FIELD.ms, row.ms);
  if (row.microUsd === undefined) return;
  count(FIELD.priced, 1);
  count(FIELD.microUsd, row.microUsd);
  count(FIELD.microUsdSquared, row.microUsd ** 2);
}

/** An attempt at another type of step counts for a quarter; each point of complexity apart takes a third. */
const OTHER_TYPE = 0.25;
const PER_POINT = Array.from({ length: LEVELS }, (_, apart) => (2 / 3) ** apart);

/** For every complexity what all others say about it. */
function spread(s: Sums): Sums {
  const to = sums(LEVELS);
  for (let from = 1; from < LEVELS; from++) {
    if ((s[from * FIELDS + FIELD.attempts] ?? 0) === 0) continue;
    for (let at = 1; at < LEVELS; at++) {
      const weight = PER_POINT[Math.abs(at - from)] ?? 0;
      for (let f = 0; f < FIELDS; f++) to[at * FIELDS + f] = (to[at * FIELDS + f] ?? 0) + weight * (s[from * FIELDS + f] ?? 0);
    }
  }
  return to;
}

/**
 * How much an attempt at other work says about this: a power prior (Ibrahim and Chen 2000). Nothing about the step asked: all count fully.
 */
export function relevance(about: About | undefined, type: string, complexity: number): number {
  if (!about) return 1;
  return (about.type === type ? 1 : OTHER_TYPE) * (PER_POINT[Math.abs(level(about.complexity) - level(complexity))] ?? 0);
}

const NONE = sums(LEVELS);

/** One agent's attempts, each counted by its relevance to the step: the table that holds them, from `sumsAt(about)` on. */
export const sumsFor = (agent: AgentOutcomes | undefined, about: About | undefined): Sums =>
  agent === undefined ? NONE : about === undefined ? agent.total : (agent.byType.get(about.type) ?? agent.otherwise);
export const sumsAt = (about: About | undefined): number => (about === undefined ? 0 : level(about.complexity) * FIELDS);
