import type { StepState } from "../../../../src/domain/index.ts";

export interface Change {
  attempt: string | undefined;
  /** The commits it is between, as git takes them; absent: nothing is there that could be looked at. */
  range: string | undefined;
}

const counts = new Set(["merged", "accepted", "merging"]);

/** Which attempt's change is a step's, by what had happened then: the one that counts, else the last that left something. `wanted`: only this one's. */
export function changeOf(s: StepState, wanted: string | undefined): Change {
  const left = s.attempts.filter((a) => a.commit !== undefined && (wanted === undefined || a.id === wanted));
  const shown = left.findLast((a) => counts.has(a.phase)) ?? left.at(-1);
  return {
    attempt: shown?.id,
    range: shown && `${shown.from?.slice(0, 12) ?? `${shown.commit?.slice(0, 12)}^`} ${shown.commit?.slice(0, 12)}`,
  };
}
