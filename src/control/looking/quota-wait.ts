import { quotaWait, type RunState, type StepState } from "../../domain/index.ts";

/** What a step waits for that has met a provider's limit. */
export type QuotaWait = NonNullable<ReturnType<typeof quotaWait>>;

/** The wait of a step, while it is one. */
export function waitOf(s: StepState, now: number | undefined): QuotaWait | undefined {
  const wait = quotaWait(s);
  return wait && (now === undefined || wait.until > now) ? wait : undefined;
}

/** What the run as a whole waits for: the first limit to be over, where nothing else is under way. */
export function runWaitsFor(state: RunState, now: number): QuotaWait | undefined {
  if (state.queued.size + state.running.size + state.accepted.size + state.merged.size > 0) return undefined;
  return [...state.ready]
    .flatMap((path) => {
      const s = state.steps.get(path);
      return (s && waitOf(s, now)) ?? [];
    })
    .toSorted((a, b) => a.until - b.until)[0];
}
