import type { EventData, Finding, RunEvent, RunState } from "../domain/index.ts";
import type { EngineDeps } from "./contract.ts";

type Answers = readonly EventData<"HookAnswered">[];

const record = (answers: Answers): RunEvent[] => answers.map((data) => ({ type: "HookAnswered", data }));
const refusalIn = (answers: Answers): string | undefined => {
  const refused = answers.find((a) => a.verdict === "refused");
  return refused && `the hook ${refused.hook} refused it: ${refused.because}`;
};

const whyAborted = ({ reason }: AbortSignal): string => (reason instanceof Error ? reason.message : String(reason));

interface Asked {
  attempt: string;
  step: string;
  state: RunState;
}

/**
 * Whether an attempt may begin. `instead`: what is recorded in its place; its step ends there, since trying again would only ask the same
 * question. `first`: what is recorded before it begins.
 */
export async function mayAttempt(
  deps: EngineDeps,
  { attempt, step, state }: Asked,
  started: EventData<"AttemptStarted">,
  signal: AbortSignal,
): Promise<{ first: RunEvent[]; instead?: RunEvent[] }> {
  const event: RunEvent = { type: "AttemptStarted", data: started };
  const answers = (await deps.veto?.({ before: "attempt", event, state, step, attempt }, signal)) ?? [];
  if (signal.aborted) return { first: [], instead: [{ type: "AttemptInterrupted", data: { attempt, step, because: whyAborted(signal) } }] };
  const first = record(answers);
  const because = refusalIn(answers);
  if (because === undefined) return { first };
  const ended: RunEvent[] = [
    { type: "AttemptInterrupted", data: { attempt, step, because } },
    { type: "StepFailed", data: { step, because } },
  ];
  return { first, instead: [...first, ...ended] };
}

/** Whether accepted work may be merged. A refusal goes to the step's next attempt as a finding, as a gate's would. */
export async function mayMerge(
  deps: EngineDeps,
  { attempt, step, state }: Asked,
  intended: { onto: string; commit: string },
  signal: AbortSignal,
): Promise<{ events: RunEvent[]; finding?: Finding }> {
  const event: RunEvent = { type: "MergeIntended", data: { attempt, step, ...intended } };
  const answers = (await deps.veto?.({ before: "merge", event, state, step, attempt }, signal)) ?? [];
  const events = record(answers);
  const refused = answers.find((a) => a.verdict === "refused");
  return refused ? { events, finding: { gate: `hook ${refused.hook}`, message: refused.because } } : { events };
}
