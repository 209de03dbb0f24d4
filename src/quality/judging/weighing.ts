import type { Judge, JudgeRecord } from "./contract.ts";

/**
 * What judges' words weigh. A weight is in log-odds: a judge that is right nine times of ten weighs ln(9) = 2.2, one that is right as often as
 * a coin weighs nothing. Never negative: a judge that is mostly wrong is not heard, rather than taken for its opposite.
 */
export interface Weighing {
  /** `kind`: the kind of work, where weights were learnt by kind. */
  weightOf(judge: string, kind?: string): number;
  /** Of these the one so much more reliable than every other that its word stands alone; the others fill its silences. */
  leadAmong(judges: Iterable<string>): string | undefined;
}

/**
 * Before anything is known of a judge it counts as right in 7 of 10 cases, and that assumption weighs as much as ten cases: a few lucky ones
 * do not make a judge, and a new one is heard.
 */
const prior = { right: 7, wrong: 3 };

const none: JudgeRecord = { right: 0, wrong: 0 };

/** Mean of the Beta distribution that the record and the prior give. */
export function reliability(record: JudgeRecord = none): number {
  const { right, wrong } = withPrior(record);
  return right / (right + wrong);
}

/** Log-odds of being right, at least 0. */
export function weightOf(record: JudgeRecord = none): number {
  const { right, wrong } = withPrior(record);
  return Math.max(0, Math.log(right / wrong));
}

/** Weights from each judge's own record. For judges that err together these are too high (see `learnWeighing`). */
export function weighByRecord(judges: readonly Judge[]): Weighing {
  const weights = new Map(judges.map((judge) => [judge.id, weightOf(judge.record)]));
  const records = new Map(judges.map((judge) => [judge.id, judge.record ?? none]));
  return { weightOf: (judge) => weights.get(judge) ?? weightOf(), leadAmong: (asked) => leadOf(records, asked) };
}

/** 95 of 100, one-sided. */
const CLEARLY = 1.645;

/**
 * The judge whose record is better than every other's by more than chance explains: the difference of the Beta means, in its own standard
 * deviations (normal approximation). Few judgments or close records give none.
 */
export function leadOf(records: ReadonlyMap<string, JudgeRecord>, asked: Iterable<string> = records.keys()): string | undefined {
  const judges = [...asked].map((id) => ({ id, ...moments(records.get(id) ?? none) })).sort((a, b) => b.mean - a.mean);
  const [first, ...others] = judges;
  if (!first || others.length === 0) return undefined;
  return others.every((other) => first.mean - other.mean > CLEARLY * Math.sqrt(first.variance + other.variance)) ? first.id : undefined;
}

/** One more case whose truth became known. Silence changes nothing. */
export function withTruth(record: JudgeRecord, said: boolean | undefined, truth: boolean): JudgeRecord {
  if (said === undefined) return record;
  return said === truth ? { ...record, right: record.right + 1 } : { ...record, wrong: record.wrong + 1 };
}

const withPrior = ({ right, wrong }: JudgeRecord): JudgeRecord => ({ right: right + prior.right, wrong: wrong + prior.wrong });

/** Mean and variance of what is believed after the record, if nothing was believed before. */
function moments({ right, wrong }: JudgeRecord): { mean: number; variance: number } {
  const [a, b] = [right + 1, wrong + 1];
  const n = a + b;
  return { mean: a / n, variance: (a * b) / (n * n * (n + 1)) };
}
