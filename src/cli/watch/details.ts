import { formatUsd, type AttemptState, type StepState } from "../../domain/index.ts";
import type { InboxRow } from "../../store/index.ts";
import { failureWord, gist } from "../show/failure-text.ts";
import { duration, firstLine, plural } from "../show/format.ts";
import { phaseWord } from "../show/steps-text.ts";

/** What is worth knowing of a step: why it is as it is, and its attempts, the newest first. */
export function stepDetails(s: StepState, now: number): string[] {
  const { step } = s;
  const needs = step.needs.length > 0 ? `; needs ${step.needs.join(", ")}` : "";
  return [
    `${step.path} (${step.kind}) ${s.status}${s.because ? `: ${gist(s.because, 300)}` : ""}${needs}`,
    ...s.attempts.toReversed().flatMap((a) => attemptDetails(a, step.kind, now)),
  ];
}

function attemptDetails(a: AttemptState, kind: string, now: number): string[] {
  const time = a.startedAt === undefined ? "" : `, ${duration(Math.max(0, (a.endedAt ?? now) - a.startedAt))}`;
  const cost = a.usage ? `, ${formatUsd(a.usage.microUsd)} (${plural(a.usage.calls, "call")})` : "";
  return [
    `#${a.n} ${phaseWord(a.phase)}${a.agent ? ` by ${a.agent}` : ""} (tier ${a.tier})${time}${cost}`,
    ...(a.reasons.length > 0 ? [`  why there: ${a.reasons.join("; ")}`] : []),
    ...(a.failure ? [`  ${failureWord(kind, a.failure.kind)}: ${gist(a.failure.message, 300)}`] : []),
    ...(a.interrupted ? [`  ${firstLine(a.interrupted.because, 300)}`] : []),
    ...(a.gates ?? []).map((g) => `  gate ${g.name}: ${g.verdict} in ${duration(g.durationMs)}`),
    ...(a.findings ?? []).flatMap((f) => [
      `  ${f.gate}: ${firstLine(f.message, 300)}`,
      ...(f.evidence ?? "")
        .split("\n")
        .filter(Boolean)
        .slice(-6)
        .map((l) => `    ${l}`),
    ]),
    ...(a.messages ?? []).map(
      (m) =>
        `  ${m.by} said${m.deliveredAt === undefined ? (a.endedAt === undefined ? " (on its way)" : " (it ended first)") : ""}: ${firstLine(m.text, 300)}`,
    ),
    ...(a.summary ? [`  said: ${firstLine(a.summary, 300)}`] : []),
  ];
}

/** What is asked, and what may be answered. */
export function itemDetails(item: InboxRow, now: number): string[] {
  return [
    `${item.kind} ${item.item}, for ${duration(Math.max(0, now - item.openedAt))}${item.who.length > 0 ? `, for ${item.who.join(", ")}` : ""}`,
    item.title,
    ...(item.detail ?? "")
      .split("\n")
      .filter(Boolean)
      .map((line) => `  ${line}`),
    ...item.choices.map((choice, i) => `  ${i + 1} ${choice}`),
  ];
}
