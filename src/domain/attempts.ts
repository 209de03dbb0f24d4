import type { EventData, Finding, RunEvent } from "./events.ts";
import { isHeld, unpick } from "./held.ts";
import { closeItemsOf } from "./people.ts";
import { currentAttempt, type AttemptState, type RunState, type StepState } from "./state.ts";

/** What happens to an attempt. Part of the fold. */

export type AttemptEvent = Extract<
  RunEvent,
  {
    type:
      | "AttemptStarted"
      | "AttemptReattached"
      | "MessageSent"
      | "MessageDelivered"
      | "SessionKept"
      | "SessionTaken"
      | "AttemptAccepted"
      | "AttemptRejected"
      | "AttemptFailed"
      | "AttemptInterrupted"
      | "MergeIntended"
      | "ResultMerged"
      | "MergeRefused";
  }
>;

export function applyToAttempt(state: RunState, s: StepState, a: AttemptState, event: AttemptEvent, at: number): void {
  const path = s.step.path;
  const inFlight = a.phase === "queued" || a.phase === "running";
  switch (event.type) {
    case "AttemptStarted":
      if (a.phase !== "queued" && a.phase !== "running") return;
      a.phase = "running";
      a.agent = event.data.agent;
      a.node = event.data.node;
      a.epoch = event.data.epoch;
      a.startEpoch = event.data.epoch;
      a.queuedMs = event.data.queuedMs;
      if (event.data.credentials) a.credentials = event.data.credentials;
      if (event.data.from) a.from = event.data.from;
      a.startedAt = at;
      // A session is taken up once: an attempt that keeps its own says so when it ends.
      delete s.session;
      state.queued.delete(path);
      state.running.add(path);
      return;
    case "AttemptReattached":
      if (a.phase !== "running") return;
      a.node = event.data.node;
      a.epoch = event.data.epoch;
      return;
    case "MessageSent": {
      if (a.phase !== "running") return;
      const { n, text, by } = event.data;
      const said = (a.messages ??= []);
      if (n === said.length + 1) said.push({ n, text, by, at });
      return;
    }
    case "MessageDelivered": {
      const message = a.messages?.[event.data.n - 1];
      if (message) message.deliveredAt ??= at;
      return;
    }
    case "SessionKept": {
      if (!inFlight) return;
      const { agent, session, from, folder } = event.data;
      s.session = { agent, session, from, folder };
      return;
    }
    case "SessionTaken":
      if (a.phase === "running") a.resumes = { session: event.data.session, folder: event.data.folder };
      return;
    case "AttemptAccepted":
      if (!inFlight) return;
      a.phase = "accepted";
      a.endedAt = at;
      a.gates = event.data.gates;
      if (event.data.commit) a.commit = event.data.commit;
      if (event.data.output !== undefined) a.output = event.data.output;
      if (event.data.summary) a.summary = event.data.summary;
      if (event.data.dropped) a.dropped = event.data.dropped;
      if (event.data.usage) a.usage = event.data.usage;
      leaveFlight(state, s, a);
      state.accepted.add(path);
      return;
    case "AttemptRejected":
      if (!inFlight) return;
      a.phase = "rejected";
      a.findings = event.data.findings;
      a.gates = event.data.gates;
      if (event.data.commit) a.commit = event.data.commit;
      if (event.data.summary) a.summary = event.data.summary;
      if (event.data.usage) a.usage = event.data.usage;
      countAtTier(s, a.tier);
      again(state, s, a, at, event.data.findings, true);
      return;
    case "AttemptFailed": {
      if (!inFlight) return;
      const { kind, message, quota } = event.data;
      a.phase = "failed";
      a.failure = { kind, message, ...(quota ? { quota } : {}) };
      if (event.data.usage) a.usage = event.data.usage;
      // A wait is no answer to what an earlier attempt was told.
      again(state, s, a, at, kind === "quota" ? s.feedback : [], kind !== "budget" && kind !== "quota");
      // A crash or a provider's failure says nothing of what the tier can do.
      if (kind === "agent" || kind === "timeout") countAtTier(s, a.tier);
      const providerWait = kind === "provider" ? waitOf(s.tries) : 0;
      if (kind === "stuck" && s.step.kind === "agent" && s.step.stuck?.move === "escalate") s.above = a.tier;
      if (kind === "quota") s.notBefore = Math.max(quota?.retryAt ?? 0, at + waitOf(quotasInRow(s)));
      else if (kind !== "budget") s.notBefore = at + Math.max(s.step.retry.backoffMs, providerWait);
      return;
    }
    case "AttemptInterrupted":
      if (!inFlight) return;
      a.phase = "interrupted";
      a.interrupted = { because: event.data.because, evidence: event.data.evidence };
      if (event.data.usage) a.usage = event.data.usage;
      again(state, s, a, at, s.feedback, false);
      return;
    case "MergeIntended":
      if (isHeld(state, s)) return;
      if (a.phase !== "accepted" && a.phase !== "merging") return;
      a.phase = "merging";
      a.mergeOnto = event.data.onto;
      a.mergeCommit = event.data.commit;
      return;
    case "ResultMerged":
      if (isHeld(state, s)) return;
      if (a.phase !== "accepted" && a.phase !== "merging") return;
      a.phase = "merged";
      a.mergeCommit = event.data.commit;
      state.accepted.delete(path);
      state.merged.add(path);
      return;
    case "MergeRefused":
      if (isHeld(state, s) || (a.phase !== "accepted" && a.phase !== "merging")) return;
      unpick(state, s, a.id);
      a.phase = "refused";
      a.findings = event.data.findings;
      state.accepted.delete(path);
      s.refusals += 1;
      again(state, s, a, at, event.data.findings, false);
      return;
    default:
      event satisfies never;
  }
}

/** Grows with each of several failures in a row, from a second to a minute. */
const waitOf = (nth: number): number => 1000 * 2 ** Math.min(nth - 1, 6);

/** How often in a row it met a limit: one that is told to be over at once, again and again, is not asked in a hurry. */
function quotasInRow(s: StepState): number {
  const last = s.attempts.findLastIndex((a) => a.failure?.kind !== "quota");
  return s.attempts.length - 1 - last;
}

/** What a step waits for that has met a provider's limit, and until when, epoch ms. */
export function quotaWait(s: StepState): { provider: string; until: number } | undefined {
  const { failure } = currentAttempt(s) ?? {};
  if (s.status !== "ready" || failure?.kind !== "quota" || !failure.quota) return undefined;
  return { provider: failure.quota.provider, until: s.notBefore };
}

/** A person gave the step to another agent. What is accepted already stays accepted. */
export function reassign(state: RunState, s: StepState, { agent, not, by, because }: EventData<"StepReassigned">): void {
  if (s.step.kind !== "agent") return;
  const before = s.assigned?.not ?? [];
  // The limit is the agent's that had it.
  if (quotaWait(s)) s.notBefore = 0;
  s.assigned = agent === undefined ? { not: not === undefined || before.includes(not) ? before : [...before, not] } : { agent, not: [] };
  const a = currentAttempt(s);
  if (s.status !== "active" || !a || (a.phase !== "queued" && a.phase !== "running")) return;
  a.reassigned = `reassigned by ${by}${because === undefined ? "" : `: ${because}`}`;
  state.reassigned.add(s.step.path);
}

/** One more try at a tier that was no good. */
export function countAtTier(s: StepState, tier: string): void {
  s.reached = { tier, tries: s.reached?.tier === tier ? s.reached.tries + 1 : 1 };
}

/** What it asked leave for nobody need answer any more. */
function leaveFlight(state: RunState, s: StepState, a: AttemptState): void {
  state.reassigned.delete(s.step.path);
  state.queued.delete(s.step.path);
  state.running.delete(s.step.path);
  if (s.items > 0) closeItemsOf(state, a.id);
}

/** The attempt is over without a result: the step is ready again; whether another attempt follows, `decide` says. */
function again(state: RunState, s: StepState, a: AttemptState, at: number, feedback: readonly Finding[], counts: boolean): void {
  a.endedAt ??= at;
  leaveFlight(state, s, a);
  s.status = "ready";
  s.feedback = feedback;
  s.notBefore = 0;
  if (counts) s.tries += 1;
  state.ready.add(s.step.path);
}
