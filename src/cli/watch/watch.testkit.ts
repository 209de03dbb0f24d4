import { fold, type RunEvent, type RunState } from "../../domain/index.ts";
import { approveOf, askOf, groupOf, stepOf } from "../../domain/simulate.testkit.ts";
import type { InboxRow } from "../../store/index.ts";
import type { Scene } from "./entries.ts";
import type { SeenRun } from "./lookout.ts";

/** Made-up moments of a run, for what `watch` makes of them. */

export const RUN = "01run";

export function stateOf(...later: RunEvent[]): RunState {
  const steps = [stepOf("build"), stepOf("test", ["build"]), groupOf("many", [], 3, "each"), approveOf("ok", ["test"]), askOf("which", [])];
  const started: RunEvent = {
    type: "RunStarted",
    data: { runId: RUN, pipeline: { name: "p", steps }, project: "/p", base: "b", branch: "br", agents: [], includeDirty: false },
  };
  return fold([started, ...later].map((event, i) => ({ event, at: 1000 * i, version: i + 1 })));
}

export function seenRun(state: RunState, more: Partial<SeenRun> = {}): SeenRun {
  const row = {
    runId: RUN,
    project: "/p",
    pipeline: "p",
    branch: "br",
    base: "b",
    status: "running",
    stepsTotal: 5,
    stepsDone: 0,
    startedAt: 0,
  } as const;
  return { row, state, driver: undefined, isUndriven: false, live: new Map(), lines: [], lastLine: new Map(), spent: 0, ...more };
}

export const waits = (n: number, kind: InboxRow["kind"] = "approval", more: Partial<InboxRow> = {}): InboxRow => ({
  item: `${RUN}/ok!${n}`,
  runId: RUN,
  step: "ok",
  kind,
  title: `may it go on? ${n}`,
  choices: [],
  who: [],
  openedAt: 0,
  ...more,
});

export const sceneOf = (items: readonly InboxRow[] = [], run = seenRun(stateOf())): Scene => ({ runs: [run], items, now: 60_000 });
