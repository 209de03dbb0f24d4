import fc from "fast-check";
import {
  apply,
  currentAttempt,
  decide,
  emptyRun,
  type Applied,
  type CommandStep,
  type Pipeline,
  type RunEvent,
  type RunState,
} from "./index.ts";

/** Builders and a random engine for the domain's tests: everything an engine may do to a run, in any order it may happen. */

export const stepOf = (path: string, needs: string[] = [], more: Partial<CommandStep> = {}): CommandStep => ({
  kind: "command",
  command: "true",
  path,
  needs,
  readonly: false,
  outputs: { files: [] },
  gates: [],
  setup: [],
  retry: { attempts: 3, backoffMs: 0 },
  timeoutMs: 1000,
  env: {},
  touches: [],
  priority: 0,
  ...more,
});

export const started = (pipeline: Pipeline, runId = "r1"): RunEvent => ({
  type: "RunStarted",
  data: { runId, pipeline, project: "/p", base: "b0", branch: `stepfall/${runId}`, agents: [], includeDirty: false },
});

/** A journal in memory with the state that its events fold to. */
export class Journal {
  readonly events: Applied[] = [];
  state: RunState = emptyRun();
  now = 1000;

  append(event: RunEvent): void {
    const applied = { event, at: this.now++, version: this.events.length + 1 };
    this.events.push(applied);
    apply(this.state, applied);
  }
}

export const anyPipeline: fc.Arbitrary<Pipeline> = fc
  .array(
    fc.record({
      needs: fc.array(fc.nat(20), { maxLength: 3 }),
      attempts: fc.integer({ min: 1, max: 3 }),
      touches: fc.subarray(["src/**", "docs/*.md", "src/a.ts", "x/y"]),
      priority: fc.integer({ min: -1, max: 1 }),
    }),
    { minLength: 1, maxLength: 9 },
  )
  .map((rows) => ({
    name: "p",
    steps: rows.map((r, i) =>
      stepOf(`s${i}`, [...new Set(r.needs.filter((n) => n < i).map((n) => `s${n}`))], {
        retry: { attempts: r.attempts, backoffMs: 0 },
        touches: r.touches,
        priority: r.priority,
      }),
    ),
  }));

/** One thing the world does next: picks among the attempts in flight, and how it goes with it. */
export interface Move {
  pick: number;
  what:
    | "start"
    | "accept"
    | "accept-empty"
    | "reject"
    | "fail"
    | "interrupt"
    | "intend"
    | "merge"
    | "refuse"
    | "cancel"
    | "budget"
    | "raise"
    | "late"
    | "nothing";
}

export const anyMove: fc.Arbitrary<Move> = fc.record({
  pick: fc.nat(50),
  what: fc.oneof<fc.WeightedArbitrary<Move["what"]>[]>(
    { weight: 20, arbitrary: fc.constantFrom("start", "accept", "accept-empty", "intend", "merge") },
    { weight: 6, arbitrary: fc.constantFrom("reject", "fail", "interrupt", "refuse", "late", "nothing") },
    { weight: 1, arbitrary: fc.constantFrom("cancel", "budget", "raise") },
  ),
});

/** What the engine does with the decisions of one round. Answers whether anything was decided that is an event. */
export function carryOut(journal: Journal): void {
  for (let round = 0; round < 200; round++) {
    const decisions = decide(journal.state, journal.now);
    let recorded = false;
    for (const d of decisions) {
      if (d.kind === "record") {
        journal.append(d.event);
        recorded = true;
      } else if (d.kind === "route") {
        journal.append({
          type: "AttemptRouted",
          data: { attempt: d.attempt, step: d.step, n: d.n, tier: "mid", candidates: ["a"], reasons: [] },
        });
        recorded = true;
      } else if (d.kind === "stop" || d.kind === "withdraw") {
        journal.append({ type: "AttemptInterrupted", data: { attempt: d.attempt, step: d.step, because: d.because } });
        recorded = true;
      }
    }
    if (!recorded) return;
  }
  throw new Error("decide does not come to rest");
}

/** Applies one move of the world. Moves that do not fit are events all the same: the fold must bear them. */
export function move(journal: Journal, { pick, what }: Move): void {
  const { state } = journal;
  const active = [...state.queued, ...state.running, ...state.accepted];
  const path = active[pick % Math.max(1, active.length)];
  const a = path === undefined ? undefined : currentAttempt(state.steps.get(path) ?? ({ attempts: [] } as never));
  if (what === "cancel") return journal.append({ type: "CancelRequested", data: {} });
  if (what === "budget") return journal.append({ type: "BudgetExhausted", data: { scope: "run", limit: 1, spent: 1 } });
  if (what === "raise") return journal.append({ type: "BudgetRaised", data: { scope: "run", limit: 2 } });
  if (!a || !path) return;
  const of = { attempt: a.id, step: path };
  switch (what) {
    case "start":
      return journal.append({ type: "AttemptStarted", data: { ...of, agent: "a", node: "n", epoch: 1, queuedMs: 0 } });
    case "accept":
      return journal.append({ type: "AttemptAccepted", data: { ...of, commit: `c-${a.id}`, gates: [] } });
    case "accept-empty":
      return journal.append({ type: "AttemptAccepted", data: { ...of, gates: [] } });
    case "reject":
      return journal.append({ type: "AttemptRejected", data: { ...of, gates: [], findings: [{ gate: "g", message: "no" }] } });
    case "fail":
      return journal.append({ type: "AttemptFailed", data: { ...of, kind: pick % 5 === 0 ? "budget" : "agent", message: "no" } });
    case "interrupt":
      return journal.append({ type: "AttemptInterrupted", data: { ...of, because: "crash" } });
    case "intend":
      return journal.append({ type: "MergeIntended", data: { ...of, onto: "b0", commit: `m-${a.id}` } });
    case "merge":
      return journal.append({ type: "ResultMerged", data: { ...of, commit: `m-${a.id}` } });
    case "refuse":
      return journal.append({ type: "MergeRefused", data: { ...of, onto: "b0", findings: [{ gate: "merge", message: "no" }], gates: [] } });
    case "late":
      // An answer for an attempt that is over.
      return journal.append({ type: "AttemptAccepted", data: { attempt: `${a.id}9`, step: path, gates: [] } });
    case "nothing":
      return;
    default:
      what satisfies never;
  }
}

/** Brings a run to its end with an engine that always succeeds. */
export function finishWell(journal: Journal): void {
  for (let i = 0; i < 2000 && journal.state.status === "running"; i++) {
    journal.now += 200_000;
    if (journal.state.halted) journal.append({ type: "BudgetRaised", data: { scope: "run", limit: 9 } });
    carryOut(journal);
    for (const path of Array.from(journal.state.queued)) moveOf(journal, path, "start");
    for (const path of Array.from(journal.state.running)) moveOf(journal, path, "accept");
    for (const path of Array.from(journal.state.accepted)) moveOf(journal, path, "merge");
    carryOut(journal);
  }
}

/** The same for the step at `path`. */
export function moveOf(journal: Journal, path: string, what: Move["what"]): void {
  const active = [...journal.state.queued, ...journal.state.running, ...journal.state.accepted];
  move(journal, { pick: active.indexOf(path), what });
}
