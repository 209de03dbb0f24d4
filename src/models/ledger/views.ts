import { parseAttemptId, type MicroUsd, type Provenance, type Usage } from "../../domain/index.ts";
import type { CallRow, OutcomeRow } from "../../store/index.ts";
import type { OwnWord } from "./bill.ts";
import { addUsage, sumCalls } from "./usage.ts";

/** What the ledger can be summed by. */
export const dimensions = ["run", "step", "agent", "model", "tier", "day", "policy"] as const;
export type Dimension = (typeof dimensions)[number];

/** The part of the ledger that is looked at. */
export interface LedgerData {
  calls: readonly CallRow[];
  outcomes: readonly OutcomeRow[];
  /** Attempts on the user's login without a gateway: `at` is when they began. */
  said: readonly (OwnWord & { at: number })[];
  /** Name of the pipeline, by run id. */
  pipelines: ReadonlyMap<string, string>;
  /** Whether a provider was a scripted model in a run: its answers came from a file. */
  isScripted: (runId: string, provider: string) => boolean;
}

export interface ViewRow extends Usage {
  name: string;
  /** Calls that a budget refused; not among `calls`. */
  refused: number;
  /** Agents' attempts that began in the part looked at, and those the gates accepted. By model: attempts that asked it. */
  attempts: number;
  accepted: number;
  /** All of the row's money over its accepted attempts. Absent: none was accepted. */
  microUsdPerAccepted?: MicroUsd;
  /** Calls and money by where the figures come from. */
  figures: Readonly<Record<Provenance, { calls: number; microUsd: MicroUsd }>>;
  /** Calls on an agent's own login: their money is the list's, not what a subscription was charged. */
  listPriced: number;
  /** Calls without a gateway: the tokens are the agent's own word. */
  ownWord: number;
  /** Calls that a scripted model answered: no money was spent on them. */
  scripted: number;
}

export interface View {
  by: Dimension;
  /** The dearest first; days in order. */
  rows: readonly ViewRow[];
  /** Of all calls, each once. */
  total: ViewRow;
}

/** No policy is compared, or the call belongs to no agent's attempt. */
const NO_POLICY = "none";
const OWN_LOGIN = "its own login";

/** Sums the ledger. Every call is in exactly one row, so the rows add up to the total to the micro-dollar. `dayOf`: the day of a time, as text. */
export function viewBy(by: Dimension, data: LedgerData, dayOf: (at: number) => string): View {
  const outcomes = new Map(data.outcomes.map((o) => [o.attempt, o]));
  const keyOf = keysBy(by, { data, outcomes, dayOf });
  const groups = new Map<string, Group>();
  const at = (name: string): Group => {
    const group = groups.get(name) ?? { calls: [], said: [], attempts: new Set<string>() };
    groups.set(name, group);
    return group;
  };
  for (const call of data.calls) {
    const group = at(keyOf.entry({ ...call, model: `${call.provider}/${call.model}` }));
    group.calls.push(call);
    if (by === "model" && call.outcome !== "refused" && outcomes.has(call.attempt)) group.attempts.add(call.attempt);
  }
  for (const word of data.said) {
    const runId = parseAttemptId(word.attempt)?.runId ?? "";
    const group = at(keyOf.entry({ ...word, runId, model: OWN_LOGIN }));
    group.said.push(word);
    if (by === "model" && outcomes.has(word.attempt)) group.attempts.add(word.attempt);
  }
  const ofOutcome = keyOf.outcome;
  if (ofOutcome) for (const outcome of data.outcomes) at(ofOutcome(outcome)).attempts.add(outcome.attempt);
  const rows = [...groups].map(([name, group]) => rowOf(name, group, outcomes, data.isScripted));
  const inOrder =
    by === "day" ? (a: ViewRow, b: ViewRow) => (a.name < b.name ? -1 : 1) : (a: ViewRow, b: ViewRow) => b.microUsd - a.microUsd;
  const all: Group = { calls: [...data.calls], said: [...data.said], attempts: new Set(outcomes.keys()) };
  return { by, rows: rows.sort(inOrder), total: rowOf("total", all, outcomes, data.isScripted) };
}

interface Group {
  calls: CallRow[];
  said: OwnWord[];
  attempts: Set<string>;
}

/** What a call and an agent's own word have in common. */
interface Entry {
  attempt: string;
  runId: string;
  agent: string;
  tier: string;
  model: string;
  at: number;
}

interface Keys {
  entry: (entry: Entry) => string;
  /** Absent: attempts are found by their calls. */
  outcome?: (outcome: OutcomeRow) => string;
}

interface Known {
  data: LedgerData;
  outcomes: ReadonlyMap<string, OutcomeRow>;
  dayOf: (at: number) => string;
}

function keysBy(by: Dimension, { data, outcomes, dayOf }: Known): Keys {
  const both = (of: (x: Entry | OutcomeRow) => string): Keys => ({ entry: of, outcome: of });
  switch (by) {
    case "run":
      return both(({ runId }) => runId);
    case "step": {
      const name = (runId: string, step: string): string => `${data.pipelines.get(runId) ?? runId}: ${step}`;
      return {
        entry: ({ attempt, runId }) => name(runId, parseAttemptId(attempt)?.stepPath ?? attempt),
        outcome: ({ runId, step }) => name(runId, step),
      };
    }
    case "agent":
      return both(({ agent }) => agent);
    case "model":
      return { entry: ({ model }) => model };
    case "tier":
      return both(({ tier }) => tier);
    case "day":
      return both(({ at }) => dayOf(at));
    case "policy":
      return { entry: ({ attempt }) => outcomes.get(attempt)?.policy ?? NO_POLICY, outcome: ({ policy = NO_POLICY }) => policy };
    default:
      return by satisfies never;
  }
}

function rowOf(name: string, { calls, said, attempts }: Group, outcomes: Known["outcomes"], isScripted: LedgerData["isScripted"]): ViewRow {
  const made = calls.filter((call) => call.outcome !== "refused");
  let usage = sumCalls(made);
  for (const word of said) usage = addUsage(usage, word.usage);
  const figures = { reported: nothing(), estimated: nothing(), unknown: nothing() };
  for (const { provenance, microUsd } of made) count(figures[provenance], 1, microUsd);
  for (const word of said) count(figures[word.usage.provenance], word.usage.calls, word.usage.microUsd);
  const accepted = [...attempts].filter((id) => outcomes.get(id)?.verdict === "accepted").length;
  return {
    name,
    ...usage,
    refused: calls.length - made.length,
    attempts: attempts.size,
    accepted,
    ...(accepted > 0 ? { microUsdPerAccepted: Math.round(usage.microUsd / accepted) } : {}),
    figures,
    listPriced: made.filter((call) => call.credentials === "pass-through").length,
    ownWord: said.reduce((n, word) => n + word.usage.calls, 0),
    scripted: made.filter((call) => isScripted(call.runId, call.provider)).length,
  };
}

const nothing = (): { calls: number; microUsd: MicroUsd } => ({ calls: 0, microUsd: 0 });

function count(sum: { calls: number; microUsd: MicroUsd }, calls: number, microUsd: MicroUsd): void {
  sum.calls += calls;
  sum.microUsd += microUsd;
}
