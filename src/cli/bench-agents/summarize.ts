import { proportion, type Proportion } from "../../models/index.ts";
import type { EndedCell } from "./results-file.ts";

/** How an agent did at one kind of work, or at all of them. */
export interface AgentLine {
  agent: string;
  tier: string;
  /** Absent: all kinds together. */
  type?: string;
  /** Runs that count: those that a budget, a quota, the setup or we ourselves ended say nothing of an agent. */
  runs: number;
  /** Of the runs in which the agent's work came to be judged, those whose result all gates accepted. */
  accuracy: Proportion;
  /** Share that ended otherwise than by a crash, its time, silence or the provider. */
  reliability: Proportion;
  /** `undefined` where nothing ran. */
  medianMs: number | undefined;
  p90Ms: number | undefined;
  /** Mean of the runs of which it is known. `undefined`: of none. */
  microUsdPerRun: number | undefined;
  /** All that was spent by all that was accepted. `undefined`: nothing was accepted, or a cost is not known. */
  microUsdPerAccepted: number | undefined;
  /** Too few to tell agents apart unless they are worlds apart. */
  isSmall: boolean;
}

/** At 20 runs the interval is still up to 40 points wide. */
export const FEW = 20;
const NOTHING_OF_THE_AGENT = new Set(["budget", "quota", "setup", "internal"]);
const UNRELIABLE = new Set(["crash", "timeout", "stuck", "provider"]);

/** Whether a run says anything of its agent. */
export const counts = ({ verdict, failure }: Pick<EndedCell, "verdict" | "failure">): boolean =>
  verdict !== "none" && verdict !== "interrupted" && !(failure !== undefined && NOTHING_OF_THE_AGENT.has(failure));

/** A line for each agent and kind of work, and one for each agent alone, in the order given. Pure. */
export function summarize(ended: readonly EndedCell[], agents: readonly { id: string; tier: string }[]): AgentLine[] {
  const types = [...new Set(ended.map((e) => e.type))];
  return agents.flatMap(({ id, tier }) => {
    const own = ended.filter((e) => e.agent === id && counts(e));
    const byType = types.flatMap((type) => {
      const those = own.filter((e) => e.type === type);
      return those.length === 0 ? [] : [{ ...lineOf(those, id, tier), type }];
    });
    return [...byType, lineOf(own, id, tier)];
  });
}

function lineOf(runs: readonly EndedCell[], agent: string, tier: string): AgentLine {
  const judged = runs.filter((r) => r.accepted !== undefined);
  const accepted = judged.filter((r) => r.accepted);
  const times = runs.map((r) => r.ms).toSorted((a, b) => a - b);
  const costs = runs.flatMap((r) => (r.microUsd === undefined ? [] : [r.microUsd]));
  const spent = costs.reduce((sum, cost) => sum + cost, 0);
  const failed = runs.filter((r) => r.failure !== undefined && UNRELIABLE.has(r.failure));
  return {
    agent,
    tier,
    runs: runs.length,
    accuracy: proportion(accepted.length, judged.length),
    reliability: proportion(runs.length - failed.length, runs.length),
    medianMs: quantile(times, 0.5),
    p90Ms: quantile(times, 0.9),
    microUsdPerRun: costs.length === 0 ? undefined : spent / costs.length,
    microUsdPerAccepted: accepted.length === 0 || costs.length < runs.length ? undefined : spent / accepted.length,
    isSmall: runs.length < FEW,
  };
}

/** The smallest of them that at least this share does not exceed; of an even number the median is between the two in the middle. */
function quantile(sorted: readonly number[], share: number): number | undefined {
  const last = sorted.length - 1;
  if (last < 0) return undefined;
  if (share === 0.5 && sorted.length % 2 === 0) return ((sorted[last >> 1] ?? 0) + (sorted[(last >> 1) + 1] ?? 0)) / 2;
  return sorted[Math.min(last, Math.ceil(share * sorted.length) - 1)];
}
