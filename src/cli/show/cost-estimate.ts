import { formatUsd } from "../../domain/index.ts";
import { percent } from "./cost-savings.ts";
import { plural } from "./format.ts";
import { table } from "./table.ts";

export interface EstimatedStep {
  step: string;
  kind: "agent" | "command";
  /** Of the first attempt. These are absent of commands, which cost nothing. */
  tier?: string;
  agent?: string;
  /** Agents that come after it, when results are refused. */
  later?: readonly string[];
  type?: string;
  /** 1 to 10. */
  complexity?: number;
  /** Judged attempts of the agent in the ledger, and those at this type of step. */
  learntFrom?: number;
  ofThisType?: number;
  /** Absent: nobody knows a price. */
  expectedMicroUsd?: number;
  expectedAttempts?: number;
}

/** What a run is expected to cost. */
export interface ToldEstimate {
  expectedMicroUsd: number;
  /** `confidence`: only where every agent in it has attempts in the ledger. */
  range: { low: number; high: number; confidence?: number };
  steps: readonly EstimatedStep[];
  /** Steps that are not in the figures. */
  unknown: readonly string[];
  method: string;
  /** What prices of attempts are taken from where the ledger has none of an agent. */
  prices: string;
  /** What could not be known. */
  notes: readonly string[];
}

export function estimateText({ expectedMicroUsd, range, steps, unknown, method, prices, notes }: ToldEstimate): string {
  const right = (title: string) => ({ title, align: "right" as const });
  const isByList = steps.some((s) => s.agent !== undefined && s.learntFrom === 0);
  return [
    table(
      [
        { title: "STEP" },
        { title: "TIER" },
        { title: "AGENT" },
        { title: "TYPE" },
        right("COMPLEXITY"),
        right("ATTEMPTS"),
        right("USD"),
        { title: "BASIS" },
      ],
      steps.map((s) => [
        s.step,
        s.tier ?? "",
        [s.agent ?? "shell", ...(s.later ?? [])].join(", then "),
        s.type ?? "",
        s.complexity === undefined ? "" : String(s.complexity),
        s.expectedAttempts === undefined || s.agent === undefined ? "" : s.expectedAttempts.toFixed(1),
        s.expectedMicroUsd === undefined ? "not known" : formatUsd(s.expectedMicroUsd),
        basisOf(s),
      ]),
    ),
    "",
    range.confidence === undefined
      ? `Expected: ${formatUsd(expectedMicroUsd)}, perhaps ${formatUsd(range.low)} to ${formatUsd(range.high)}. Not measured: some of these agents have no attempt here, and what they use is assumed. Nothing was started.`
      : `Expected: ${formatUsd(expectedMicroUsd)}, and with ${percent(range.confidence)} between ${formatUsd(range.low)} and ${formatUsd(range.high)}. An estimate; nothing was started.`,
    ...(unknown.length > 0 ? [`Not in it, since no price is known: ${unknown.join(", ")}.`] : []),
    method,
    ...(isByList ? [`Price list: ${prices}.`] : []),
    ...notes,
  ].join("\n");
}

function basisOf({ agent, learntFrom, ofThisType, type, expectedMicroUsd }: EstimatedStep): string {
  if (agent === undefined) return "a command asks no model";
  if (expectedMicroUsd === undefined) return "no attempt and no price";
  if (learntFrom === undefined || learntFrom === 0) return "price list only";
  return `learnt from ${plural(learntFrom, "attempt")}, ${ofThisType ?? 0} of type ${type ?? "other"}`;
}
