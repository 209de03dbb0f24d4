import { record, stepOf, type Decision } from "./decision.ts";
import type { Finding } from "./events.ts";
import { inboxItemId } from "./ids.ts";
import { verdictOn } from "./people.ts";
import type { RunState, StepState } from "./state.ts";
import { isOver } from "./steps.ts";

export function openItem(state: RunState, s: StepState, now: number): Decision {
  const { step } = s;
  const common = { item: inboxItemId(state.runId, step.path, s.items + 1), step: step.path };
  if (step.kind === "ask")
    return record("InboxOpened", {
      ...common,
      kind: "question",
      title: step.question,
      choices: step.choices,
      who: [],
      count: 1,
      ...(step.fallback ? { expiresAt: now + step.fallback.afterMs } : {}),
    });
  if (step.kind !== "approve") throw new TypeError(`${step.path} asks nobody`);
  return record("InboxOpened", {
    ...common,
    kind: "approval",
    title: step.title,
    ...(step.detail === undefined ? {} : { detail: step.detail }),
    choices: [],
    who: step.who,
    count: step.count,
    ...(step.expiresMs === undefined ? {} : { expiresAt: now + step.expiresMs }),
  });
}

/** What people have said to approvals and questions. Answers when the next one expires, epoch ms. */
export function hearPeople(state: RunState, now: number, out: Decision[]): number {
  let wakeAt = Infinity;
  for (const path of state.asking) {
    const s = stepOf(state, path);
    const item = s.item === undefined ? undefined : state.inbox.get(s.item);
    if (!item) continue;
    const verdict = verdictOn(item, now, onExpiry(s));
    switch (verdict.kind) {
      case "open":
        if (item.expiresAt !== undefined) wakeAt = Math.min(wakeAt, item.expiresAt);
        break;
      case "agreed":
        out.push(record("StepCompleted", { step: path, output: { by: item.answers.map((a) => a.by) } }));
        break;
      case "answered":
        out.push(record("StepCompleted", { step: path, output: { answer: verdict.answer } }));
        break;
      case "refused":
        out.push(record("StepFailed", { step: path, because: verdict.because }));
        break;
      case "rework":
        rework(state, s, verdict, out);
        break;
      default:
        verdict satisfies never;
    }
  }
  return wakeAt;
}

function onExpiry({ step }: StepState): { agreed: boolean } | { answer: string } | undefined {
  if (step.kind === "approve") return { agreed: step.onExpiry === "approve" };
  return step.kind === "ask" && step.fallback ? { answer: step.fallback.answer } : undefined;
}

/** What is done again when somebody asks an approval for rework; empty: nothing can be. */
export function reworkTargets(state: RunState, { step }: StepState): StepState[] {
  return (step.kind === "approve" && step.rework.length > 0 ? step.rework : step.needs)
    .map((path) => stepOf(state, path))
    .filter((s) => s.step.kind === "agent" || s.step.kind === "command");
}

/**
 * The steps to be done again, and all that built on them, begin anew, the approval too: it is asked again, for what is there then. Work that
 * builds on them and is in flight is let end first.
 */
function rework(state: RunState, approval: StepState, { because, by }: { because: string; by: string }, out: Decision[]): void {
  const { step } = approval;
  const targets = reworkTargets(state, approval);
  if (targets.length === 0) {
    out.push(record("StepFailed", { step: step.path, because: `${by} asked for rework, and no step here can be done again: ${because}` }));
    return;
  }
  const again = new Set(targets.map((s) => s.step.path));
  for (const path of again) for (const d of stepOf(state, path).dependents) if (stepOf(state, d).status !== "waiting") again.add(d);
  const all = [...again].map((path) => stepOf(state, path));
  const inFlight = all.some((s) => s.status === "active" && s.item === undefined);
  if (inFlight) return;
  const finding: Finding = { gate: "approval", message: `${by} wants it done again: ${because}` };
  const isTarget = (s: StepState): boolean => targets.includes(s);
  for (const s of all) {
    if (!isOver(s) && s.status !== "active") continue;
    out.push(
      record("StepReopened", {
        step: s.step.path,
        because: isTarget(s) ? finding.message : `what it builds on is done again`,
        findings: isTarget(s) ? [finding] : [],
      }),
    );
  }
}
