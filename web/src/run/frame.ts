import { useMemo, useRef } from "react";
import type { Recorded, RunState } from "../../../src/domain/index.ts";
import { useNow } from "../data/index.ts";
import type { Facts } from "./model/facts.ts";
import { RunHistory } from "./model/history.ts";
import { useKeyed } from "./use-keyed.ts";
import { shareViews, stepViews, type StepView } from "./model/step-view.ts";

/** All that the page is made of: the run as it was at one of its events. Everything on the page is a function of it. */
export interface Frame {
  runId: string;
  /** The event it is about, and the last there is. */
  version: number;
  last: number;
  /** The page follows the run: what comes is shown. */
  isNow: boolean;
  /** Owned by the history: read while drawing, never kept. `version` tells whether it is another. */
  state: RunState;
  facts: Facts;
  /** The time of the event; of a run that goes on and is followed, the clock. Epoch ms. */
  now: number;
  /** Each the same object as before where nothing of it changed. */
  views: ReadonlyMap<string, StepView>;
  history: RunHistory;
}

/** `seek`: a version; absent: the latest. `isDriven`: false where nobody drives the run, so that no time has passed for it since its last event. */
export function useFrame(runId: string, events: readonly Recorded[], seek: number | undefined, isDriven: boolean): Frame {
  const history = useMemo(() => new RunHistory(), []);
  const views = useRef<ReadonlyMap<string, StepView>>(new Map());
  const clock = useNow();
  history.follow(events);
  const last = history.last;
  const isNow = seek === undefined || seek >= last;
  const version = isNow ? last : seek;
  const state = history.at(version);
  views.current = useKeyed(() => shareViews(views.current, stepViews(state)), state, version);
  const at = history.event(version)?.at ?? 0;
  const now = state.endedAt ?? (isNow && isDriven ? Math.max(clock, at) : at);
  return { runId, version, last, isNow, state, facts: history.facts, now, views: views.current, history };
}
