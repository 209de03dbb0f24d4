import { formatUsd, type AttemptState, type StepState } from "../../domain/index.ts";
import { block, code, duration, plain, table, time } from "./markdown.ts";
import type { Told } from "./report.ts";

const MOST_FINDINGS = 20;

/** Each attempt with how it went, what its gates said, and what they saw. */
export function attemptsSection(steps: readonly StepState[], told: Told): string[] {
  const parts = steps.flatMap((s) => s.attempts.flatMap((a) => attempt(s, a, told)));
  return parts.length === 0 ? [] : ["## Attempts", ...parts];
}

function attempt(s: StepState, a: AttemptState, { refs, sources }: Told): string[] {
  const end = a.endedAt === undefined ? "" : refs.to(sources.ended(a.id));
  // What the merge queue found stands in the place of what the attempt's own gates did.
  const foundBy = a.phase === "refused" ? sources.unmerged(a.id) : sources.ended(a.id);
  const took = a.startedAt !== undefined && a.endedAt !== undefined ? ` after ${duration(a.endedAt - a.startedAt)}` : "";
  const lines = [
    `tier ${plain(a.tier)}: ${a.reasons.map((r) => plain(r)).join("; ") || "no reason was recorded"} ${refs.to(sources.routed(a.id))}`,
    a.startedAt === undefined
      ? undefined
      : `started ${time(a.startedAt)}${a.agent === undefined ? "" : ` by ${code(a.agent)}`}${a.queuedMs === undefined ? "" : `, ${duration(a.queuedMs)} in the queue`} ${refs.to(sources.started(a.id))}`,
    a.endedAt === undefined ? undefined : `ended ${time(a.endedAt)}${took} ${refs.to(sources.started(a.id), sources.ended(a.id))}`,
    a.failure ? `failed (${a.failure.kind}): ${plain(a.failure.message, 600)} ${end}` : undefined,
    a.interrupted ? `interrupted: ${plain(a.interrupted.because)} ${end}` : undefined,
    a.summary === undefined ? undefined : `it says: ${plain(a.summary, 600)} ${end}`,
    a.commit === undefined ? undefined : `commit ${code(a.commit.slice(0, 12))} ${end}`,
    a.mergeCommit === undefined || sources.merged(a.id) === undefined
      ? undefined
      : `merged as ${code(a.mergeCommit.slice(0, 12))} ${refs.to(sources.merged(a.id))}`,
    a.dropped?.length ? `changes to protected files were dropped: ${a.dropped.map(code).join(", ")} ${end}` : undefined,
  ];
  const gates = (a.gates ?? []).map((g) => [
    plain(g.name),
    g.kind,
    g.verdict,
    duration(g.durationMs),
    g.microUsd === undefined ? "" : formatUsd(g.microUsd),
    end,
  ]);
  const evidence = (a.gates ?? []).flatMap((g) =>
    g.evidence === undefined || g.evidence.trim() === "" || a.findings?.some((f) => f.evidence === g.evidence)
      ? []
      : [`Gate ${plain(g.name)} saw ${end}:`, block(g.evidence)],
  );
  const findings = (a.findings ?? [])
    .slice(0, MOST_FINDINGS)
    .flatMap((f) => [
      `- ${plain(f.gate)}: ${plain(f.message, 600)} ${refs.to(foundBy)}`,
      ...(f.evidence === undefined || f.evidence.trim() === "" ? [] : [block(f.evidence)]),
    ]);
  const more = (a.findings?.length ?? 0) - MOST_FINDINGS;
  return [
    `### ${code(s.step.path)}, attempt ${a.n}: ${a.phase}`,
    lines.flatMap((line) => (line === undefined ? [] : [`- ${line.trim()}`])).join("\n"),
    ...(gates.length === 0 ? [] : [table(["gate", "kind", "verdict", "took", "cost", ""], gates)]),
    ...evidence,
    ...findings,
    ...(more > 0 ? [`${more} more findings ${end}`] : []),
  ];
}
