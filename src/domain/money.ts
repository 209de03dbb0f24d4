/** Money, always: integer micro-dollars. 1 USD = 1_000_000. */
export type MicroUsd = number;

/** Dollars to micro-dollars, rounded to the nearest one. */
export const usd = (dollars: number): MicroUsd => Math.round(dollars * 1_000_000);

/** "$0.0123": four decimals under a dollar, two above; never hides a non-zero amount as zero. */
export function formatUsd(amount: MicroUsd): string {
  const sign = amount < 0 ? "-" : "";
  const abs = Math.abs(amount);
  if (abs === 0) return "$0";
  if (abs < 100) return `${sign}$${(abs / 1e6).toFixed(6)}`;
  return `${sign}$${(abs / 1e6).toFixed(abs < 1e6 ? 4 : 2)}`;
}
