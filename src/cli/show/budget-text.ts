import { formatUsd, usd, type MicroUsd } from "../../domain/index.ts";

export interface Halted {
  limit: MicroUsd;
  spent: MicroUsd;
}

/** Attempts of steps, as the journal and reports have them. */
interface WithAttempts {
  attempts: readonly { failure?: { kind: string; message: string } | undefined }[];
}

/** The gateway tells the ceiling of the call it refused in its sentence only. Rounded up by the last digit shown: it is used as an upper bound. */
export function ceilingIn(message: string): MicroUsd | undefined {
  const [, whole, fraction = ""] = /may cost up to \$(\d+)(?:\.(\d+))?/.exec(message) ?? [];
  if (whole === undefined) return undefined;
  return usd(Number(`${whole}.${fraction || "0"}`)) + 10 ** Math.max(0, 6 - fraction.length);
}

/** What the calls that a budget refused last would reserve, all together. `undefined` when nobody said. */
export function neededNext(steps: Iterable<WithAttempts>): MicroUsd | undefined {
  let sum: MicroUsd | undefined;
  for (const { attempts } of steps) {
    const failure = attempts.at(-1)?.failure;
    const needed = failure?.kind === "budget" ? ceilingIn(failure.message) : undefined;
    if (needed !== undefined) sum = (sum ?? 0) + needed;
  }
  return sum;
}

const STEP: MicroUsd = 100;

/** Dollars for `--budget` that carry what was refused: the limit and what it needed on top, rounded up. Without a figure, twice the limit. */
export function enoughBudget({ limit, spent }: Halted, needed: MicroUsd | undefined): string {
  const used = Math.max(limit, spent);
  return String((Math.ceil((used + (needed ?? used)) / STEP) * STEP) / 1e6);
}

/** `its limit is $0.0030, $0 is spent, and the next call reserves up to $0.0056` */
export const budgetText = ({ limit, spent }: Halted, needed: MicroUsd | undefined): string =>
  `the limit is ${formatUsd(limit)}, ${formatUsd(spent)} is spent, and the next call ${needed === undefined ? "may cost more than is left" : `reserves up to ${formatUsd(needed)}`}`;
