import type { AttemptPhase, RunState } from "../../domain/index.ts";
import type { Peer } from "./risk.ts";

/** A finished attempt, with what tells whether it is like another. */
export interface FinishedAttempt extends Peer {
  attempt: string;
  pipeline: string;
  step: string;
  /** The step's kind. */
  kind: string;
  agent: string;
}

/** Ends that an attempt comes to by its own work: one that was stopped tells nothing of what such work takes. */
const judged: readonly AttemptPhase[] = ["accepted", "merging", "merged", "rejected", "refused"];

/** The attempts of a run that came to an end by themselves, with what they used as the ledger has it. */
export function finishedIn(state: RunState): FinishedAttempt[] {
  return [...state.steps.values()].flatMap(({ step, attempts }) =>
    attempts.flatMap((a) => {
      if (!judged.includes(a.phase) || a.startedAt === undefined || a.endedAt === undefined || a.agent === undefined) return [];
      return [
        {
          attempt: a.id,
          pipeline: state.pipeline.name,
          step: step.path,
          kind: step.kind,
          agent: a.agent,
          durationMs: Math.max(1, a.endedAt - a.startedAt),
          tokens: (a.usage?.inputTokens ?? 0) + (a.usage?.outputTokens ?? 0),
          microUsd: a.usage?.microUsd ?? 0,
        },
      ];
    }),
  );
}

/** Fewer than this are no company to be compared with. */
const LEAST_PEERS = 3;

/**
 * Those that an attempt is to be compared with: of the same step of the same pipeline where there are three, else of the same agent at steps
 * of the same kind.
 */
export function similarTo(
  target: Pick<FinishedAttempt, "attempt" | "pipeline" | "step" | "kind" | "agent">,
  finished: readonly FinishedAttempt[],
): FinishedAttempt[] {
  const others = finished.filter((f) => f.attempt !== target.attempt);
  const sameStep = others.filter((f) => f.pipeline === target.pipeline && f.step === target.step && f.kind === target.kind);
  if (sameStep.length >= LEAST_PEERS) return sameStep;
  return others.filter((f) => f.agent === target.agent && f.kind === target.kind);
}
