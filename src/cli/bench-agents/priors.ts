import { readFileSync, writeFileSync } from "node:fs";
import { z } from "zod";
import { importOutcomes } from "../../models/index.ts";
import { thisHolder } from "../../setup/identity.ts";
import { taughtRow, WORKLOAD } from "../../setup/learnt.ts";
import type { OutcomeRow, Store } from "../../store/index.ts";
import { BenchError } from "./errors.ts";

/** Outcomes of a workload as a file: for another home, or another machine with the same agents. */
const Priors = z.object({
  version: z.literal(1),
  workload: z.string(),
  outcomes: z.array(
    z.object({
      attempt: z.string(),
      runId: z.string(),
      step: z.string(),
      project: z.string().startsWith(WORKLOAD),
      at: z.number(),
      agent: z.string(),
      tier: z.string(),
      type: z.string(),
      complexity: z.number().optional(),
      verdict: z.enum(["accepted", "refused", "failed"]),
      failure: z.string().optional(),
      gates: z.array(z.object({ name: z.string(), kind: z.string(), verdict: z.string() })),
      microUsd: z.number().nonnegative(),
      isUnpriced: z.boolean().optional(),
      ms: z.number(),
    }),
  ),
});

export interface PriorsCount {
  /** What routing learns from, of this workload. */
  outcomes: number;
  agents: number;
}

/** Brings the journal's outcomes to where routing reads them, and, with `file`, writes those of the workload there. */
export async function writePriors(
  store: Store,
  workload: string,
  { now, file }: { now: number; file?: string | undefined },
): Promise<PriorsCount> {
  await importOutcomes({ store, holder: thisHolder(), now });
  const rows = (await store.outcomes({ project: WORKLOAD + workload })).filter((row) => taughtRow(row).length > 0);
  if (file !== undefined) {
    // A gate's name is its command, and may hold what is nobody else's business; routing reads none of another home's gates.
    const outcomes = rows.map(({ truth: _truth, policy: _policy, gates, ...row }) => ({
      ...row,
      gates: gates.map(({ kind, verdict }) => ({ name: kind, kind, verdict })),
    }));
    writeFileSync(file, `${JSON.stringify({ version: 1, workload, outcomes }, undefined, 1)}\n`);
  }
  return { outcomes: rows.length, agents: new Set(rows.map((row) => row.agent)).size };
}

/** Takes the outcomes of such a file into the store, each once. */
export async function readPriors(store: Store, file: string): Promise<PriorsCount & { workload: string }> {
  const no = (why: string): BenchError =>
    new BenchError(
      "PRIORS_UNREADABLE",
      `${file} holds no priors: ${why}`,
      "`stepfall bench-agents WORKLOAD --priors FILE` writes such a file.",
    );
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw no((error as Error).message);
  }
  const priors = Priors.safeParse(json);
  if (!priors.success) throw no(z.prettifyError(priors.error).split("\n").slice(0, 2).join(" "));
  // Names of another home are nobody's here, and must not meet ours.
  const rows: OutcomeRow[] = priors.data.outcomes.map((row) => ({
    ...row,
    attempt: `priors:${row.attempt}`,
    runId: `priors:${row.runId}`,
  }));
  await store.commit({ projections: [{ kind: "outcomes", rows }] });
  return { workload: priors.data.workload, outcomes: rows.length, agents: new Set(rows.map((row) => row.agent)).size };
}
