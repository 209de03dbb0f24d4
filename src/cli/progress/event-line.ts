import {
  budgetName,
  formatUsd,
  parseAttemptId,
  quotaWait,
  runBudgetId,
  stepBudgetId,
  type RunEvent,
  type RunState,
} from "../../domain/index.ts";
import { ceilingIn } from "../show/budget-text.ts";
import { failureWordOf, gist } from "../show/failure-text.ts";
import { duration, firstLine } from "../show/format.ts";
import { quotaText } from "../show/quota-text.ts";

/**
 * An event in one line for people; `undefined` for those that only matter to a machine. `state` is the run with the event already in it.
 */
export function eventLine(event: RunEvent, state: RunState): string | undefined {
  switch (event.type) {
    case "RunStarted":
    case "AttemptRouted":
    case "MergeIntended":
    case "StepResolved":
      return undefined;
    case "StepExpanded": {
      const { step, round, children } = event.data;
      return `${step}: ${children.length} ${children.length === 1 ? "step" : "steps"}${round > 1 ? `, round ${round}` : ""}`;
    }
    case "CandidatePicked": {
      const { step, attempt, because } = event.data;
      return `${step}: ${name(attempt)} is picked: ${firstLine(because, 200)}`;
    }
    case "StepReopened":
      return `${event.data.step} is done again: ${firstLine(event.data.because, 140)}`;
    case "InboxOpened":
      return `${event.data.step} waits for ${event.data.who.join(", ") || "somebody"}: ${firstLine(event.data.title, 140)} (${event.data.item})`;
    case "InboxAnswered": {
      const { by, verdict, text, item } = event.data;
      return `${by} says ${verdict === "answer" ? "" : verdict}${verdict !== "answer" && text ? ": " : ""}${firstLine(text ?? "", 140)} (${item})`;
    }
    case "AttemptStarted":
      return `${name(event.data.attempt)} started by ${event.data.agent}`;
    case "AttemptAccepted": {
      const gates = event.data.gates.map((g) => g.name).join(", ");
      const dropped = event.data.dropped?.length ? `; changes to protected files were dropped: ${event.data.dropped.join(", ")}` : "";
      return `${name(event.data.attempt)} accepted${gates ? ` (passed: ${gates})` : ""}${dropped}`;
    }
    case "AttemptRejected": {
      const [first, ...more] = event.data.findings;
      const by = !first ? "" : first.gate === "contract" ? ": " : ` by gate ${first.gate}: `;
      return `${name(event.data.attempt)} refused${by}${first ? firstLine(first.message, 140) : ""}${more.length > 0 ? ` (and ${more.length} more)` : ""}`;
    }
    case "AttemptFailed": {
      const wait = state.steps.get(event.data.step);
      const quota = wait && quotaWait(wait);
      if (event.data.kind === "quota" && quota)
        return `${name(event.data.attempt)} met a limit; ${event.data.step} ${quotaText(quota, wait.attempts.at(-1)?.endedAt ?? 0)}`;
      return `${name(event.data.attempt)} failed (${failureWordOf(state, event.data.attempt, event.data.kind)}): ${gist(event.data.message, 200)}`;
    }
    case "AttemptInterrupted":
      return `${name(event.data.attempt)} interrupted: ${firstLine(event.data.because, 140)}`;
    case "AttemptReattached":
      return `${name(event.data.attempt)} goes on: its agent never stopped`;
    case "MessageSent":
      return `${event.data.by} says to ${name(event.data.attempt)}: ${firstLine(event.data.text, 200)}`;
    case "MessageDelivered":
      return `${name(event.data.attempt)} has what was said to it`;
    case "AgentReported": {
      const { attempt, text, percent, phase } = event.data;
      const where = [...(phase === undefined ? [] : [phase]), ...(percent === undefined ? [] : [`${Math.round(percent)} %`])].join(", ");
      return `${name(attempt)} reports${where === "" ? "" : ` (${where})`}: ${firstLine(text, 200)}`;
    }
    case "BlackboardPut":
      return `${name(event.data.attempt)} shares ${event.data.key} = ${firstLine(JSON.stringify(event.data.value), 100)}`;
    case "SessionKept":
      return undefined;
    case "SessionTaken":
      return `${name(event.data.attempt)} takes up the conversation of ${name(event.data.folder)}`;
    case "StepReassigned":
      return `${event.data.step} ${event.data.agent === undefined ? `taken from ${event.data.not ?? "its agent"}` : `given to ${event.data.agent}`} by ${event.data.by}${event.data.because ? `: ${firstLine(event.data.because, 100)}` : ""}`;
    case "ResultMerged":
      return `${event.data.step} merged`;
    case "MergeRefused":
      return `${name(event.data.attempt)} refused by the merge queue: ${firstLine(event.data.findings[0]?.message ?? "", 140)}`;
    case "StepCompleted": {
      // Merged work has said so already, and who may not change anything need not say that it did not.
      const s = state.steps.get(event.data.step);
      if (s && s.step.kind !== "agent" && s.step.kind !== "command") return `${event.data.step} completed`;
      return s?.step.readonly || s?.attempts.at(-1)?.commit ? undefined : `${event.data.step} completed without a change`;
    }
    case "StepFailed":
      return `${event.data.step} failed: ${gist(event.data.because, 200)}`;
    case "StepSkipped":
      return `${event.data.step} skipped: ${firstLine(event.data.because, 140)}`;
    case "StepCancelled":
      return `${event.data.step} cancelled`;
    case "RunResumed":
      return `the run goes on, by ${event.data.by}`;
    case "CancelRequested":
      return `cancel requested${event.data.reason ? `: ${event.data.reason}` : ""}`;
    case "HookAnswered": {
      const { hook, before, verdict, because, unanswered, step } = event.data;
      const what = before === "run" ? "the run" : `${before === "merge" ? "the merge" : "an attempt"} of ${step ?? "a step"}`;
      const gave = unanswered ? "gave no answer, so that" : "was asked, and";
      return `the hook ${hook} ${gave} ${what} is ${verdict}: ${firstLine(because, 200)}`;
    }
    case "BudgetExhausted":
      return `${budgetName(accountOf(event.data, state))} cannot carry the next call: ${formatUsd(event.data.spent)} of ${formatUsd(event.data.limit)} spent${nextCall(event.data.needed, state)}`;
    case "BudgetRaised":
      return `${budgetName(accountOf(event.data, state))} raised to ${formatUsd(event.data.limit)}${event.data.by === undefined ? "" : ` by ${event.data.by}`}`;
    case "BudgetLifted":
      return `${budgetName(event.data.id)} holds the run no more: ${event.data.because}`;
    case "RunFinished":
      return `run ${event.data.outcome}${state.endedAt === undefined ? "" : ` in ${duration(state.endedAt - state.startedAt)}`}`;
    case "FeedbackGiven":
      return `${event.data.attempt.slice(event.data.attempt.indexOf("/") + 1)} called ${event.data.verdict} by ${event.data.by}${event.data.because === undefined ? "" : `: ${event.data.because}`}`;
    case "RunMerged":
      return `run merged into ${event.data.into}`;
    default:
      return event satisfies never;
  }
}

/** Older versions named the scope and the step. */
const accountOf = ({ id, step }: { id?: string | undefined; step?: string | undefined }, { runId }: RunState): string =>
  id ?? (step === undefined ? runBudgetId(runId) : stepBudgetId(runId, step));

/** What the call that was refused just now would have reserved, where the gateway said it. */
function nextCall(told: number | undefined, state: RunState): string {
  if (told !== undefined) return `, and that call reserves up to ${formatUsd(told)}`;
  const refused = [...state.steps.values()]
    .flatMap((s) => s.attempts.at(-1) ?? [])
    .filter((a) => a.failure?.kind === "budget")
    .toSorted((a, b) => (a.endedAt ?? 0) - (b.endedAt ?? 0))
    .at(-1);
  const needed = ceilingIn(refused?.failure?.message ?? "");
  return needed === undefined ? "" : `, and that call reserves up to ${formatUsd(needed)}`;
}

/** `fix#1` */
function name(attempt: string): string {
  const ref = parseAttemptId(attempt);
  return ref ? `${ref.stepPath}#${ref.n}` : attempt;
}
