import type { GateResult, MicroUsd, Recorded } from "../../domain/index.ts";
import type { OutcomeRow } from "../../store/index.ts";
import { proportion, type Proportion } from "./proportion.ts";

/** Fewer results than this whose truth is known, and no share is told of them. */
export const ENOUGH_TRUTH = 10;

/** How well one gate, by name and kind, has told right from wrong. */
export interface GateReport {
  name: string;
  kind: string;
  verdicts: { passed: number; refused: number; errored: number };
  /** Of its verdicts: how many results are known to have been right or wrong since somebody or something said so later. */
  known: number;
  /** Refused results that nobody came back to: taken for wrong. */
  takenForWrong: number;
  /** Wrong results that it let pass. */
  falseAccepts: Proportion;
  /** Of these: how many another gate refused. */
  caughtElsewhere: number;
  /** Right results that it refused. */
  falseRefusals: Proportion;
  /** Of all its verdicts together. */
  durationMs: number;
  /** Absent: it asks no model. */
  microUsd?: MicroUsd;
}

/** One judgement of an attempt by its gates. */
export interface Judgement {
  attempt: string;
  gates: readonly GateResult[];
  isAccepted: boolean;
}

/** The judgements among recorded events. */
export function judgementsOf(events: readonly Recorded[]): Judgement[] {
  return events.flatMap(({ event }) => {
    if (event.type !== "AttemptAccepted" && event.type !== "AttemptRejected") return [];
    const { attempt, gates } = event.data;
    return gates.length === 0 ? [] : [{ attempt, gates, isAccepted: event.type === "AttemptAccepted" }];
  });
}

/**
 * Traces what became known later back to the gates that had judged it. A refused result counts as wrong unless somebody said otherwise: its
 * findings were acted on, and nobody comes back to it. An accepted one counts once something is known of it. So false refusals are known only
 * where people report them. The most often used gate first.
 */
export function gateReport(judgements: readonly Judgement[], outcomes: readonly OutcomeRow[]): GateReport[] {
  const truths = new Map(outcomes.flatMap(({ attempt, truth }) => (truth ? [[attempt, truth.verdict] as const] : [])));
  const tallies = new Map<string, Tally>();
  for (const { attempt, gates, isAccepted } of judgements) {
    const known = truths.get(attempt);
    const wasRefused = !isAccepted && gates.some((g) => g.verdict === "refused");
    const truth = known ?? (wasRefused ? "wrong" : undefined);
    for (const { name, kind, verdict, durationMs, microUsd } of gates) {
      const key = JSON.stringify([name, kind]);
      const tally = tallies.get(key) ?? newTally(name, kind);
      tallies.set(key, tally);
      tally.verdicts[verdict] += 1;
      tally.durationMs += durationMs;
      if (microUsd !== undefined) tally.microUsd = (tally.microUsd ?? 0) + microUsd;
      if (verdict === "errored" || truth === undefined) continue;
      if (known === undefined) tally.takenForWrong += 1;
      else tally.known += 1;
      tally[truth] += 1;
      if (truth === "wrong" && verdict === "passed") {
        tally.wrongPassed += 1;
        if (wasRefused) tally.caughtElsewhere += 1;
      }
      if (truth === "right" && verdict === "refused") tally.rightRefused += 1;
    }
  }
  return [...tallies.values()].map(reportOf).sort((a, b) => uses(b) - uses(a) || (a.name < b.name ? -1 : 1));
}

interface Tally extends Omit<GateReport, "falseAccepts" | "falseRefusals"> {
  wrong: number;
  wrongPassed: number;
  right: number;
  rightRefused: number;
}

const newTally = (name: string, kind: string): Tally => ({
  name,
  kind,
  verdicts: { passed: 0, refused: 0, errored: 0 },
  known: 0,
  takenForWrong: 0,
  caughtElsewhere: 0,
  durationMs: 0,
  wrong: 0,
  wrongPassed: 0,
  right: 0,
  rightRefused: 0,
});

const uses = ({ verdicts }: GateReport): number => verdicts.passed + verdicts.refused + verdicts.errored;

const reportOf = ({ wrong, wrongPassed, right, rightRefused, ...rest }: Tally): GateReport => ({
  ...rest,
  falseAccepts: proportion(wrongPassed, wrong),
  falseRefusals: proportion(rightRefused, right),
});
