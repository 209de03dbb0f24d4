import type { Recorded, Step } from "../../src/domain/index.ts";
import type { KeptAgent } from "./processes.ts";
import type { Say } from "./inspect.ts";

export interface Allowed {
  /** Attempts whose agent or keeper was killed: these may fail. */
  struck: readonly string[];
  /** An engine that wakes up with another at work spoils what that one has in the same folder: a check that fails so is done again. */
  isFrozen: boolean;
}

/** Every step was done exactly once, whatever was recorded on the way. */
export function checkJournal(events: readonly Recorded[], allowed: Allowed, say: Say): void {
  const last = events.at(-1)?.event;
  if (last?.type !== "RunFinished" || last.data.outcome !== "succeeded") say("lost", `the run ends with ${JSON.stringify(last)}`);
  const accepted = new Map<string, string>();
  const withCommit = new Set<string>();
  const merged = new Map<string, number>();
  const completed = new Map<string, number>();
  const open = new Map<string, string>();
  for (const { event } of events) {
    switch (event.type) {
      case "AttemptStarted": {
        const { step, attempt } = event.data;
        if (accepted.has(step)) say("doubled", `${attempt} started after ${accepted.get(step)} was accepted`);
        if (open.has(step)) say("doubled", `${attempt} started while ${open.get(step)} was not over`);
        open.set(step, attempt);
        break;
      }
      case "AttemptAccepted":
        if (accepted.has(event.data.step)) say("doubled", `${event.data.step} was accepted twice`);
        accepted.set(event.data.step, event.data.attempt);
        if (event.data.commit) withCommit.add(event.data.attempt);
        open.delete(event.data.step);
        break;
      case "AttemptFailed":
        if (!mayFail(event.data, allowed)) say("lost", `${event.data.attempt} failed: ${event.data.kind}: ${event.data.message}`);
        open.delete(event.data.step);
        break;
      case "AttemptRejected":
        if (event.data.step !== "answer") say("lost", `${event.data.attempt} was rejected: ${JSON.stringify(event.data.findings)}`);
        open.delete(event.data.step);
        break;
      case "AttemptInterrupted":
        open.delete(event.data.step);
        break;
      case "MergeRefused":
        say("lost", `the merge of ${event.data.attempt} was refused: ${JSON.stringify(event.data.findings)}`);
        accepted.delete(event.data.step);
        break;
      case "ResultMerged":
        merged.set(event.data.attempt, (merged.get(event.data.attempt) ?? 0) + 1);
        break;
      case "StepCompleted":
        completed.set(event.data.step, (completed.get(event.data.step) ?? 0) + 1);
        break;
      default:
    }
  }
  for (const step of stepsOf(events)) {
    const times = completed.get(step.path) ?? 0;
    if (times !== 1) say(times > 1 ? "doubled" : "lost", `${step.path} completed ${times} times`);
    if (step.kind !== "agent" && step.kind !== "command") continue;
    const attempt = accepted.get(step.path);
    if (attempt === undefined) say("lost", `${step.path} was never accepted`);
    else {
      const merges = merged.get(attempt) ?? 0;
      if (merges !== (withCommit.has(attempt) ? 1 : 0)) say(merges > 1 ? "doubled" : "lost", `${attempt} was merged ${merges} times`);
    }
  }
  for (const attempt of merged.keys())
    if (![...accepted.values()].includes(attempt)) say("doubled", `${attempt} was merged and not accepted`);
  checkPeople(events, say);
}

const stepsOf = (events: readonly Recorded[]): readonly Step[] => {
  const first = events[0]?.event;
  return first?.type === "RunStarted" ? first.data.pipeline.steps : [];
};

function mayFail(
  { attempt, step, kind, message }: { attempt: string; step: string; kind: string; message: string },
  allowed: Allowed,
): boolean {
  if (allowed.struck.includes(attempt)) return true;
  if (allowed.isFrozen && kind === "internal" && message.includes("/workspaces/")) return true;
  return step === "flaky" && kind === "agent" && message.includes("exit 7");
}

/** What was asked of people was answered once, and no answer was lost. */
function checkPeople(events: readonly Recorded[], say: Say): void {
  const opened = new Map<string, string>();
  const answers = new Map<string, number>();
  const decided = new Set<string>();
  for (const { event } of events) {
    if (event.type === "InboxOpened") {
      if (opened.has(event.data.item)) say("doubled", `${event.data.item} was opened twice`);
      opened.set(event.data.item, event.data.step);
      if (event.data.kind !== "permission" && [...opened.values()].filter((s) => s === event.data.step).length > 1)
        say("doubled", `${event.data.step} asked twice`);
    }
    if (event.type === "InboxAnswered") {
      answers.set(event.data.item, (answers.get(event.data.item) ?? 0) + 1);
      decided.add(event.data.item);
    }
  }
  for (const [item, times] of answers) if (times > 1) say("doubled", `${item} was answered ${times} times`);
}

/** The git side of the same: one merge commit for each merged attempt, and none besides. */
export function checkBranch(events: readonly Recorded[], log: string, say: Say): void {
  const inGit = log.split("\n").filter(Boolean).sort();
  const inJournal = events.flatMap(({ event }) => (event.type === "ResultMerged" ? [event.data.attempt] : [])).sort();
  for (const [i, attempt] of inGit.entries()) if (attempt === inGit[i + 1]) say("doubled", `the branch holds two merges of ${attempt}`);
  for (const attempt of inJournal) if (!inGit.includes(attempt)) say("lost", `the branch holds no merge of ${attempt}`);
  for (const attempt of inGit)
    if (!inJournal.includes(attempt)) say("doubled", `the branch holds ${attempt}, which the journal did not merge`);
}

/** Effects outside git: a command of an attempt ran at most once, the one of the accepted attempt exactly once. */
export function checkEffects(events: readonly Recorded[], ran: readonly string[], say: Say): void {
  for (const attempt of new Set(ran)) {
    const times = ran.filter((r) => r === attempt).length;
    if (times > 1) say("doubled", `the command of ${attempt} ran ${times} times`);
  }
  const commands = new Set(stepsOf(events).flatMap((s) => (s.kind === "command" || s.path === "flaky" ? [s.path] : [])));
  for (const { event } of events) {
    if (event.type !== "AttemptAccepted" || !commands.has(event.data.step)) continue;
    if (!ran.includes(event.data.attempt)) say("lost", `the command of the accepted ${event.data.attempt} never ran`);
  }
}

/** Agents that were there when the engine died and did not finish: their attempts were interrupted, or begun a second time. */
export function restartedAgents(events: readonly Recorded[], agents: readonly KeptAgent[]): string[] {
  return agents.flatMap(({ attempt, isOver }) => {
    const of = events.flatMap(({ event }) => ("attempt" in event.data && event.data.attempt === attempt ? [event] : []));
    const stopped = of.find((e) => e.type === "AttemptInterrupted");
    const starts = of.filter((e) => e.type === "AttemptStarted").length;
    if (!stopped && starts < 2) return [];
    const evidence =
      stopped?.type === "AttemptInterrupted" ? `${stopped.data.because} (${stopped.data.evidence ?? ""})` : `started ${starts} times`;
    return [`${attempt}, ${isOver ? "which had ended" : "which was at work"}: ${evidence}`];
  });
}
