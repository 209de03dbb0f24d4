import type { Clock } from "../domain/index.ts";
import { gateQuality, importOutcomes, learnOutcomes, type GateQuality, type Outcomes, type TaughtRow } from "../models/index.ts";
import type { OutcomeRow, Store } from "../store/index.ts";

/** What the ledger has taught about agents, gates and kinds of work, at one moment. */
export interface Learnt {
  outcomes: Outcomes;
  gate: GateQuality;
  /** By kind of work. */
  history: ReadonlyMap<string, { tries: number; accepted: number }>;
}

const DAY_MS = 86_400_000;
/** What is older says little of the agents of today. */
export const MOST_DAYS = 180;
/** Rows of benchmark runs teach of agents in every project (`stepfall bench-agents`), and nothing of its gates. */
export const WORKLOAD = "workload:";

export const nothingLearnt = (): Learnt => learntFrom([]);

/** Brings the ledger up to the journal and learns from what it says of this project. */
export async function learn(store: Store, project: string, { holder, clock }: { holder: string; clock: Clock }): Promise<Learnt> {
  const now = clock.now();
  await importOutcomes({ store, holder, now });
  const rows = await store.outcomes({ since: now - MOST_DAYS * DAY_MS });
  return learntFrom(rows.filter((row) => row.project === project || row.project.startsWith(WORKLOAD)));
}

export function learntFrom(rows: readonly OutcomeRow[]): Learnt {
  const taught = rows.flatMap(taughtRow);
  const history = new Map<string, { tries: number; accepted: number }>();
  for (const { type, accepted } of taught) {
    if (accepted === undefined) continue;
    const seen = history.get(type) ?? { tries: 0, accepted: 0 };
    history.set(type, { tries: seen.tries + 1, accepted: seen.accepted + (accepted ? 1 : 0) });
  }
  return {
    outcomes: learnOutcomes(taught),
    gate: gateQuality(countTruth(rows.filter((row) => !row.project.startsWith(WORKLOAD)))),
    history,
  };
}

/** As the economics read it. What says nothing of the agent's work, such as a provider's failure, teaches nothing. */
export function taughtRow(row: OutcomeRow): TaughtRow[] {
  const accepted = judgedAs(row);
  if (accepted === undefined) return [];
  const { type, agent, tier, isUnpriced, microUsd, ms, complexity = 5, truth } = row;
  const right = truth === undefined ? {} : { right: truth.verdict === "right" };
  return [{ work: `${row.runId}/${row.step}`, type, complexity, agent, tier, accepted, ...right, ...(isUnpriced ? {} : { microUsd }), ms }];
}

function judgedAs({ verdict, failure }: OutcomeRow): boolean | undefined {
  if (verdict === "accepted") return true;
  if (verdict === "refused") return false;
  return verdict === "failed" && (failure === "agent" || failure === "timeout" || failure === "stuck") ? false : undefined;
}

/**
 * Verdicts whose truth is known. A refused result counts as wrong unless somebody said otherwise: its findings were acted on, and nobody comes
 * back to it. An accepted one counts only once something is known of it.
 */
export function countTruth(rows: readonly OutcomeRow[]): { wrong: number; wrongAccepted: number; right: number; rightRefused: number } {
  const counts = { wrong: 0, wrongAccepted: 0, right: 0, rightRefused: 0 };
  for (const { verdict, gates, truth } of rows) {
    if (verdict !== "accepted" && verdict !== "refused") continue;
    if (gates.length === 0) continue;
    const isRight = verdict === "refused" ? truth?.verdict === "right" : truth && truth.verdict === "right";
    if (isRight === undefined) continue;
    if (isRight) counts.right += 1;
    else counts.wrong += 1;
    if (isRight && verdict === "refused") counts.rightRefused += 1;
    if (!isRight && verdict === "accepted") counts.wrongAccepted += 1;
  }
  return counts;
}
