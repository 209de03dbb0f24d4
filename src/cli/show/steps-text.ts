import type { AttemptPhase } from "../../domain/index.ts";
import type { Paint } from "../output.ts";
import { failureWord, gist, plainWords } from "./failure-text.ts";
import { duration, firstLine, indent } from "./format.ts";
import { quotaText } from "./quota-text.ts";
import type { AttemptReport, RunReport, StepReport } from "../../control/index.ts";
import { table } from "./table.ts";

const symbols: Readonly<Record<string, string>> = {
  completed: "✓",
  failed: "✗",
  skipped: "-",
  cancelled: "■",
  active: "▸",
  ready: "·",
  waiting: "·",
};

export const symbolOf = (status: string): string => symbols[status] ?? "?";

const words: Readonly<Record<AttemptPhase, string>> = {
  queued: "queued",
  running: "running",
  accepted: "accepted",
  merging: "merging",
  merged: "accepted, merged",
  rejected: "refused",
  failed: "failed",
  interrupted: "interrupted",
  refused: "refused by the merge queue",
};
export const phaseWord = (phase: AttemptPhase): string => words[phase];

/** One line a step, and one an attempt: who did it, how it went, and what the gates said. */
export function stepsText(report: RunReport, paint: Paint, now: number): string {
  const rows: string[][] = [];
  const depths = new Map<string, number>();
  for (const step of report.steps) {
    const depth = step.parent === undefined ? 0 : (depths.get(step.parent) ?? 0) + 1;
    depths.set(step.id, depth);
    const indented = "  ".repeat(depth);
    const mark =
      step.status === "completed"
        ? paint("green", symbolOf(step.status))
        : step.status === "failed"
          ? paint("red", symbolOf(step.status))
          : symbolOf(step.status);
    const asks = report.waiting.some((item) => item.step === step.id && item.kind !== "permission");
    const status = asks || step.quota ? "waits" : step.status === "failed" && step.mayFail ? "failed (may)" : step.status;
    const why = step.because ? gist(step.because, 90) : step.quota ? quotaText(step.quota, now) : "";
    rows.push([`${indented}${mark} ${step.id}`, "", status, stepTime(step), why]);
    for (const a of step.attempts)
      rows.push([`${indented}    #${a.n}`, a.agent ?? "", phaseWord(a.phase), attemptTime(a), howItWent(a, step.kind)]);
  }
  return table([{ title: "STEP" }, { title: "AGENT" }, { title: "STATUS" }, { title: "TIME", align: "right" }, { title: "GATES" }], rows);
}

function stepTime(step: StepReport): string {
  const first = step.attempts[0]?.startedAt;
  return first !== undefined && step.endedAt !== undefined ? duration(step.endedAt - first) : "";
}

const attemptTime = (a: AttemptReport): string =>
  a.startedAt !== undefined && a.endedAt !== undefined ? duration(a.endedAt - a.startedAt) : "";

/** `node --test ✗ (exits 1)`; where no gate ran, what else there is to say. */
function howItWent(a: AttemptReport, stepKind: string): string {
  const gates = a.gates.map((g) => (g.verdict === "passed" ? `${g.name} ✓` : `${g.name} ✗ (${firstLine(g.evidence ?? g.verdict, 60)})`));
  const others = a.findings.filter((f) => !a.gates.some((g) => g.name === f.gate)).map((f) => `${f.gate}: ${firstLine(f.message, 100)}`);
  const failed = a.failure ? [`${failureWord(stepKind, a.failure.kind)}: ${gist(a.failure.message, 100)}`] : [];
  const stopped = a.interrupted ? [firstLine(a.interrupted.because, 100)] : [];
  return [...gates, ...others, ...failed, ...stopped].join(", ");
}

/** What stopped a step, with evidence, as its next attempt would have been told. */
export function failureText(report: RunReport, step: StepReport, paint: Paint): string {
  const last = step.attempts.at(-1);
  const lines = [paint("red", `✗ ${step.id} failed: ${gist(step.because ?? "no attempt was accepted", 200)}`)];
  for (const f of last?.findings ?? []) {
    lines.push(`  ${f.gate}: ${f.message}`);
    if (f.evidence) lines.push(indent(lastLines(f.evidence, 20), "    "));
  }
  if (last?.failure)
    lines.push(`  ${failureWord(step.kind, last.failure.kind)}:`, indent(lastLines(plainWords(last.failure.message), 20), "    "));
  if (last) lines.push(`  Its transcripts: ${report.folder}/${encodeURIComponent(step.id)}-${last.n}.*.ndjson`);
  return lines.join("\n");
}

const lastLines = (text: string, most: number): string => text.trimEnd().split("\n").slice(-most).join("\n");
