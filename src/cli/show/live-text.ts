import type { LivenessItem } from "../../fleet/index.ts";
import { duration } from "./format.ts";

/** `stuck for 12 min 0 s: the same call 8 times in a row: ...`. */
export const livenessText = ({ state, since, evidence }: Pick<LivenessItem, "state" | "since" | "evidence">, now: number): string =>
  `${state} for ${duration(Math.max(0, now - since))}: ${evidence.join("; ")}`;

/** `risk 0.71`; nothing where none is known. */
export const riskWord = ({ risk }: Pick<LivenessItem, "risk">): string => (risk ? `risk ${risk.score.toFixed(2)}` : "");

/** The score, and a line for each factor: what it is, how much it counts, and where it comes from. */
export function riskLines({ risk }: Pick<LivenessItem, "risk">): string[] {
  if (!risk) return [];
  return [
    `risk ${risk.score.toFixed(2)}`,
    ...risk.factors.map((f) => `  ${f.name} ${f.value.toFixed(2)} (weighs ${f.weight.toFixed(2)}): ${f.evidence.join("; ")}`),
    ...risk.leftOut.map((f) => `  ${f.name} left out: ${f.because}`),
  ];
}

/** `1 stuck, 2 running, risk 0.71 at most`. */
export function liveSummary(items: readonly LivenessItem[]): string {
  const worst = ["dead", "stuck", "unknown", "idle", "running"] as const;
  const counts = worst.flatMap((state) => {
    const n = items.filter((item) => item.state === state).length;
    return n === 0 ? [] : [`${n} ${state}`];
  });
  const scores = items.flatMap((item) => item.risk?.score ?? []);
  return [...counts, ...(scores.length === 0 ? [] : [`risk ${Math.max(...scores).toFixed(2)}${scores.length > 1 ? " at most" : ""}`])].join(
    ", ",
  );
}
