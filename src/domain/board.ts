import type { EventData } from "./events.ts";
import { currentAttempt, type RecordedRequests, type RunState, type StepState } from "./state.ts";

/** What agents at work tell of themselves and share. Part of the fold. */

/** A fact stands whatever became of the attempt that told it. */
export function putOnBoard(state: RunState, s: StepState, data: EventData<"BlackboardPut">, at: number): void {
  const { key, value, version, attempt, step, request } = data;
  state.board.set(key, { value, version, at, attempt, step });
  const said = requestsOf(s, attempt);
  if (!said || said.ids.has(request)) return;
  said.ids.set(request, version);
  said.puts += 1;
}

export function takeReport(s: StepState, { attempt, request, text, percent, phase }: EventData<"AgentReported">, at: number): void {
  const said = requestsOf(s, attempt);
  const a = currentAttempt(s);
  if (!said || !a || a.phase !== "running" || said.ids.has(request)) return;
  said.ids.set(request, 0);
  said.reports += 1;
  a.report = { text, at, ...(percent === undefined ? {} : { percent }), ...(phase === undefined ? {} : { phase }) };
}

function requestsOf(s: StepState, attempt: string): RecordedRequests | undefined {
  const a = currentAttempt(s);
  if (a?.id !== attempt) return undefined;
  return (a.requests ??= { reports: 0, puts: 0, ids: new Map() });
}
