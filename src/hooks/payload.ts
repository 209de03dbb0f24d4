import { currentAttempt, type RunEvent, type RunState } from "../domain/index.ts";
import type { FilterScope } from "../pipeline/index.ts";
import type { Payload, PayloadRun, Seen } from "./contract.ts";

/** What filters see; the same as a hook is sent. */
export const filterScope = (seen: Seen): FilterScope => ({ ...partsOf(seen) });

/** Secrets that events hold are masked there already; `mask` catches those that came to be known later. */
export function payloadOf(hook: string, seen: Seen, mask: (text: string) => string): Payload {
  const { globalSeq } = seen.recorded;
  const payload: Payload = { version: 1, hook, ...(globalSeq === undefined ? {} : { globalSeq }), ...partsOf(seen) };
  return masked(JSON.parse(JSON.stringify(payload)), mask) as Payload;
}

function masked(value: unknown, mask: (text: string) => string): unknown {
  if (typeof value === "string") return mask(value);
  if (Array.isArray(value)) return value.map((one) => masked(one, mask));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [mask(key), masked(one, mask)]));
}

function partsOf({ recorded, state }: Seen): Pick<Payload, "event" | "run" | "step"> {
  const { event, at, version, stream, actor } = recorded;
  return {
    event: { type: event.type, data: event.data, at, version, stream, actor },
    run: state && state.status !== "empty" ? runOf(state) : null,
    step: stepOf(event, state),
  };
}

function runOf(state: RunState): PayloadRun {
  let stepsDone = 0;
  for (const { status } of state.steps.values()) if (status === "completed") stepsDone += 1;
  const { runId, pipeline, project, branch, startedAt } = state;
  return {
    id: runId,
    pipeline: pipeline.name,
    project,
    branch,
    status: state.outcome ?? "running",
    startedAt,
    endedAt: state.endedAt ?? null,
    stepsTotal: state.steps.size,
    stepsDone,
  };
}

function stepOf({ data }: RunEvent, state: RunState | undefined): Payload["step"] {
  const path = "step" in data ? data.step : undefined;
  const s = path === undefined ? undefined : state?.steps.get(path);
  if (!s) return null;
  const attempt = currentAttempt(s);
  return {
    path: s.step.path,
    kind: s.step.kind,
    status: s.status,
    attempts: s.attempts.length,
    agent: attempt?.agent ?? null,
    tier: attempt?.tier ?? null,
  };
}
