import { formatUsd, type RunEvent } from "../../../../src/domain/index.ts";

/** An event as a few words, for the slider. */
export function describeEvent(event: RunEvent): string {
  switch (event.type) {
    case "RunStarted":
      return `the run started: ${event.data.pipeline.name}`;
    case "StepResolved":
      return `${event.data.step}: its expressions have their values`;
    case "StepExpanded":
      return `${event.data.step}: ${event.data.children.length} steps${event.data.round > 1 ? `, round ${event.data.round}` : ""}`;
    case "AttemptRouted":
      return `${short(event.data)} goes to ${event.data.tier}${event.data.escalatedFrom ? `, up from ${event.data.escalatedFrom}` : ""}`;
    case "AttemptStarted":
      return `${short(event.data)} started with ${event.data.agent}`;
    case "AttemptAccepted":
      return `${short(event.data)} was accepted`;
    case "AttemptRejected":
      return `${short(event.data)} was refused${event.data.findings[0] ? ` by ${event.data.findings[0].gate}` : ""}`;
    case "AttemptFailed":
      return `${short(event.data)} failed${event.data.kind === "agent" ? "" : ` (${event.data.kind})`}`;
    case "AttemptInterrupted":
      return `${short(event.data)} was interrupted: ${event.data.because}`;
    case "AttemptReattached":
      return `${short(event.data)} was taken up by another engine`;
    case "MessageSent":
      return `${event.data.by} says to ${short(event.data)}: ${event.data.text}`;
    case "MessageDelivered":
      return `a message has reached ${short(event.data)}`;
    case "AgentReported":
      return `${short(event.data)} reports: ${event.data.text}`;
    case "BlackboardPut":
      return `${short(event.data)} shares ${event.data.key}`;
    case "HookAnswered":
      return `the hook ${event.data.hook} ${event.data.verdict} the ${event.data.before}: ${event.data.because}`;
    case "SessionKept":
      return `${short(event.data)}: its conversation is kept`;
    case "SessionTaken":
      return `${short(event.data)} goes on with an earlier conversation`;
    case "StepReassigned":
      return `${event.data.by} reassigned ${event.data.step}${event.data.agent ? ` to ${event.data.agent}` : ""}`;
    case "MergeIntended":
      return `${short(event.data)} is being merged`;
    case "ResultMerged":
      return `${short(event.data)} was merged`;
    case "MergeRefused":
      return `${short(event.data)} was refused by the merge queue`;
    case "CandidatePicked":
      return `${event.data.step}: ${attemptName(event.data.attempt)} is picked`;
    case "StepCompleted":
      return `${event.data.step} completed`;
    case "StepFailed":
      return `${event.data.step} failed: ${event.data.because}`;
    case "StepSkipped":
      return `${event.data.step} ${event.data.condition ? "is not needed" : "is skipped"}`;
    case "StepCancelled":
      return `${event.data.step} was cancelled`;
    case "StepReopened":
      return `${event.data.step} is done again`;
    case "InboxOpened":
      return `${event.data.step} asks: ${event.data.title}`;
    case "InboxAnswered":
      return `${event.data.by}: ${event.data.verdict}${event.data.text ? ` (${event.data.text})` : ""}`;
    case "FeedbackGiven":
      return `${event.data.by} says that ${short(event.data)} was ${event.data.verdict}`;
    case "RunResumed":
      return `the run goes on, by ${event.data.by}`;
    case "CancelRequested":
      return `cancel was asked for${event.data.reason ? `: ${event.data.reason}` : ""}`;
    case "BudgetExhausted":
      return `the budget of the ${event.data.scope} is spent (${formatUsd(event.data.limit)})`;
    case "BudgetRaised":
      return `the budget of the ${event.data.scope} is raised to ${formatUsd(event.data.limit)}`;
    case "BudgetLifted":
      return `the pause is over: ${event.data.because}`;
    case "RunFinished":
      return `the run ${event.data.outcome === "succeeded" || event.data.outcome === "failed" ? event.data.outcome : "was cancelled"}`;
    case "RunMerged":
      return `the result was merged into ${event.data.into}`;
    default:
      return otherEvent(event);
  }
}

/** Types that came after this page was written, and whatever a newer server says. */
const otherEvent = (event: { type: string; data: unknown }): string => {
  const { step } = event.data as { step?: unknown };
  return typeof step === "string" ? `${step}: ${event.type}` : event.type;
};

/** `step#n` of `runId/step#n`. */
export const attemptName = (attempt: string): string => attempt.slice(attempt.indexOf("/") + 1);
const short = ({ attempt }: { attempt: string }): string => attemptName(attempt);
