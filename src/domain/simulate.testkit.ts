import fc from "fast-check";
import {
  type AgentStep,
  apply,
  currentAttempt,
  decide,
  emptyRun,
  type Applied,
  type ApproveStep,
  type AskStep,
  type CommandStep,
  type Decision,
  type GroupStep,
  raiseFor,
  type Pipeline,
  type RunEvent,
  type RunState,
  type Step,
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

const { kind: _kind, command: _command, ...base } = stepOf("");

export const agentStepOf = (path: string, needs: string[] = [], more: Partial<CommandStep> = {}): AgentStep => {
  const { kind: _, command: __, ...common } = stepOf(path, needs, more);
  return { ...common, kind: "agent", prompt: path, agent: { capability: [] } };
};

export const approveOf = (path: string, needs: string[] = [], more: Partial<ApproveStep> = {}): ApproveStep => ({
  ...base,
  kind: "approve",
  path,
  needs,
  title: path,
  who: [],
  count: 1,
  onExpiry: "reject",
  rework: [],
  ...more,
});

export const askOf = (path: string, needs: string[] = [], more: Partial<AskStep> = {}): AskStep => ({
  ...base,
  kind: "ask",
  path,
  needs,
  question: path,
  choices: ["yes", "no"],
  ...more,
});

/** A group that stands for `size` children, one after the other when it is a pipeline, done `rounds` times. */
export const groupOf = (
  path: string,
  needs: string[],
  size: number,
  how: "each" | "pipeline",
  more: Partial<GroupStep> = {},
): GroupStep => ({
  ...base,
  kind: "group",
  path,
  needs,
  body:
    how === "each"
      ? { kind: "each", over: { kind: "list", items: String(size) }, most: 10, failFast: true, parallel: 2, step: stepOf("") }
      : {
          kind: "pipeline",
          pipeline: { name: "sub", steps: Array.from({ length: size }, (_, i) => stepOf(`k${i}`, i > 0 ? [`k${i - 1}`] : [])) },
          with: {},
          repeat: { until: "round == 2", most: 3 },
        },
  ...more,
});

/** A best-of step with so many candidates. */
export const bestOf = (path: string, needs: string[], size: number, more: Partial<GroupStep> = {}): GroupStep => ({
  ...groupOf(path, needs, 0, "each", more),
  body: { kind: "best-of", step: agentStepOf(path), candidates: Array.from({ length: size }, () => ({})), judging: { judges: [] } },
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
      (i % 2 === 0 ? agentStepOf : stepOf)(`s${i}`, [...new Set(r.needs.filter((n) => n < i).map((n) => `s${n}`))], {
        retry: { attempts: r.attempts, backoffMs: 0 },
        touches: r.touches,
        priority: r.priority,
      }),
    ),
  }));

/** With conditions, handlers of failure, groups, approvals and questions. */
export const anyRichPipeline: fc.Arbitrary<Pipeline> = fc
  .array(
    fc.record({
      needs: fc.array(fc.nat(20), { maxLength: 3 }),
      kind: fc.constantFrom("command", "command", "approve", "ask", "each", "pipeline", "best-of"),
      size: fc.nat(3),
      when: fc.constantFrom(undefined, undefined, undefined, "failed", "always"),
      if: fc.constantFrom(undefined, undefined, undefined, "true", "false"),
      mayFail: fc.boolean(),
      attempts: fc.integer({ min: 1, max: 2 }),
      count: fc.integer({ min: 1, max: 2 }),
      expires: fc.boolean(),
    }),
    { minLength: 1, maxLength: 7 },
  )
  .map((rows) => ({
    name: "p",
    steps: rows.map((r, i): Step => {
      const path = `s${i}`;
      const needs = [...new Set(r.needs.filter((n) => n < i).map((n) => `s${n}`))];
      const common = {
        ...(r.when === undefined ? {} : { when: r.when as "failed" | "always" }),
        ...(r.if === undefined ? {} : { if: r.if }),
        ...(r.mayFail ? { mayFail: true } : {}),
        retry: { attempts: r.attempts, backoffMs: 0 },
      };
      if (r.kind === "approve") return approveOf(path, needs, { ...common, count: r.count, ...(r.expires ? { expiresMs: 500 } : {}) });
      if (r.kind === "ask") return askOf(path, needs, { ...common, ...(r.expires ? { fallback: { answer: "no", afterMs: 500 } } : {}) });
      if (r.kind === "each" || r.kind === "pipeline") return groupOf(path, needs, r.size, r.kind, common);
      if (r.kind === "best-of") return bestOf(path, needs, r.size + 1, common);
      return stepOf(path, needs, common);
    }),
  }));

/** What an engine evaluates, scripted: `if` is `true` or `false`, a list is its length, a repeated group is done in its second round. */
function evaluate(journal: Journal, d: Extract<Decision, { kind: "resolve" | "expand" | "conclude" }>): RunEvent {
  const s = journal.state.steps.get(d.step);
  if (!s) throw new Error(`no step ${d.step}`);
  const path = d.step;
  if (d.kind === "resolve") {
    if (s.step.if === "false") return { type: "StepSkipped", data: { step: path, because: "its condition is false", condition: true } };
    const { if: _if, ...resolved } = s.step;
    return { type: "StepResolved", data: { step: path, resolved } };
  }
  if (s.step.kind !== "group") throw new Error(`${path} is no group`);
  const { body } = s.step;
  const expand = (round: number): RunEvent => {
    const children =
      body.kind === "each"
        ? Array.from({ length: body.over.kind === "list" ? Number(body.over.items) : 0 }, (_, i) => stepOf(`${path}/${i}`))
        : body.kind === "best-of"
          ? body.candidates.map((_, i) => agentStepOf(`${path}/${i + 1}`, [], { hold: true, mayFail: true, touches: ["src/**"] }))
          : body.pipeline.steps.map((k) =>
              stepOf(
                `${path}/${round}/${k.path}`,
                k.needs.map((n) => `${path}/${round}/${n}`),
                { scope: `${path}/${round}/` },
              ),
            );
    return {
      type: "StepExpanded",
      data: { step: path, round, children: children.map((c) => ({ ...c, parent: path })), inputs: { round } },
    };
  };
  if (d.kind === "expand") return expand(d.round);
  if (body.kind === "pipeline" && (s.group?.round ?? 0) < 2) return expand(2);
  return { type: "StepCompleted", data: { step: path, output: s.group?.children.length ?? 0 } };
}

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
    | "pick"
    | "merge"
    | "refuse"
    | "cancel"
    | "budget"
    | "raise"
    | "approve"
    | "approve-too"
    | "refuse-it"
    | "rework"
    | "answer"
    | "cheaper"
    | "stop"
    | "wait"
    | "late"
    | "reassign"
    | "reattach"
    | "keep"
    | "nothing";
}

export const anyMove: fc.Arbitrary<Move> = fc.record({
  pick: fc.nat(50),
  what: fc.oneof<fc.WeightedArbitrary<Move["what"]>[]>(
    { weight: 20, arbitrary: fc.constantFrom("start", "accept", "accept-empty", "intend", "merge", "pick") },
    { weight: 6, arbitrary: fc.constantFrom("reject", "fail", "interrupt", "refuse", "late", "reassign", "reattach", "keep", "nothing") },
    { weight: 6, arbitrary: fc.constantFrom("approve", "approve-too", "answer", "rework", "refuse-it", "wait") },
    { weight: 1, arbitrary: fc.constantFrom("cancel", "budget", "raise", "cheaper", "stop") },
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
      } else if (d.kind === "resolve" || d.kind === "expand" || d.kind === "conclude") {
        journal.append(evaluate(journal, d));
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
  if (what === "budget") return journal.append({ type: "BudgetExhausted", data: spentBudget(state, pick) });
  if (what === "raise") return journal.append({ type: "BudgetRaised", data: { scope: "run", limit: 2 } });
  if (what === "pick") {
    const wanted = decide(state, journal.now).flatMap((d) => (d.kind === "pick" ? [d] : []));
    const at = wanted[pick % Math.max(1, wanted.length)];
    const attempt = at?.candidates[pick % at.candidates.length];
    // Where nobody asks for it, too.
    return journal.append({
      type: "CandidatePicked",
      data: { step: at?.step ?? [...state.bestOf][0] ?? "none", attempt: attempt ?? a?.id ?? "none", because: "best" },
    });
  }
  const said = ANSWERS[what];
  if (said) {
    const items = [...state.inbox.keys()];
    const item = items[pick % Math.max(1, items.length)];
    return item === undefined ? undefined : journal.append({ type: "InboxAnswered", data: { item, ...said } });
  }
  if (what === "wait") {
    journal.now += 600;
    return;
  }
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
      if (pick % 7 === 3)
        return journal.append({
          type: "AttemptFailed",
          data: { ...of, kind: "quota", message: "used up", quota: { provider: "p", retryAt: journal.now + pick * 50 } },
        });
      return journal.append({ type: "AttemptFailed", data: { ...of, kind: pick % 5 === 0 ? "budget" : "agent", message: "no" } });
    case "interrupt":
      return journal.append({ type: "AttemptInterrupted", data: { ...of, because: "crash" } });
    case "intend":
      return journal.append({ type: "MergeIntended", data: { ...of, onto: "b0", commit: `m-${a.id}` } });
    case "merge":
      return journal.append({ type: "ResultMerged", data: { ...of, commit: `m-${a.id}` } });
    case "refuse":
      return journal.append({ type: "MergeRefused", data: { ...of, onto: "b0", findings: [{ gate: "merge", message: "no" }], gates: [] } });
    case "reassign":
      return journal.append({
        type: "StepReassigned",
        data: { step: path, by: "ann", ...(pick % 2 === 0 ? { agent: "b" } : { not: "a" }) },
      });
    case "reattach":
      return journal.append({ type: "AttemptReattached", data: { ...of, node: "n2", epoch: 2 } });
    case "keep":
      return journal.append({ type: "SessionKept", data: { ...of, agent: "a", session: "s", from: "b0", folder: a.id } });
    case "late":
      // An answer for an attempt that is over.
      return journal.append({ type: "AttemptAccepted", data: { attempt: `${a.id}9`, step: path, gates: [] } });
    default:
      return;
  }
}

/** Of any scope: of a step that is there, or of all of the run. */
function spentBudget(state: RunState, pick: number): Extract<RunEvent, { type: "BudgetExhausted" }>["data"] {
  const sums = { limit: 1, spent: 1, needed: pick };
  const paths = [...state.steps.keys()];
  const step = paths[pick % Math.max(1, paths.length)] ?? "none";
  const attempt = state.steps.get(step)?.attempts.at(-1)?.id;
  if (pick % 4 === 1) return { scope: "step", step, ...sums };
  if (pick % 4 === 2 && attempt !== undefined) return { scope: "attempt", id: `attempt:${attempt}`, step, ...sums };
  return pick % 4 === 3 ? { scope: "fleet", id: "fleet:day/1970-01-01", step, ...sums } : { scope: "run", ...sums };
}

const ANSWERS: Partial<Record<Move["what"], { by: string; verdict: "approve" | "reject" | "rework" | "answer"; text?: string }>> = {
  approve: { by: "ann", verdict: "approve" },
  "approve-too": { by: "bob", verdict: "approve" },
  "refuse-it": { by: "ann", verdict: "reject", text: "no" },
  rework: { by: "bob", verdict: "rework", text: "again" },
  answer: { by: "ann", verdict: "answer", text: "yes" },
  cheaper: { by: "ann", verdict: "answer", text: "cheaper" },
  stop: { by: "ann", verdict: "answer", text: "stop" },
};

/** Brings a run to its end with an engine that always succeeds. */
export function finishWell(journal: Journal): void {
  for (let i = 0; i < 2000 && journal.state.status === "running"; i++) {
    journal.now += 200_000;
    for (const pause of Array.from(journal.state.pauses.values()))
      journal.append({ type: "BudgetRaised", data: raiseFor(pause, 9, "ann") });
    carryOut(journal);
    for (const { item, kind } of Array.from(journal.state.inbox.values()))
      for (const by of ["ann", "bob"])
        journal.append({
          type: "InboxAnswered",
          data: kind === "question" ? { item, by, verdict: "answer", text: "yes" } : { item, by, verdict: "approve" },
        });
    carryOut(journal);
    for (const path of Array.from(journal.state.queued)) moveOf(journal, path, "start");
    for (const path of Array.from(journal.state.running)) moveOf(journal, path, "accept");
    if (journal.state.bestOf.size > 0) move(journal, { pick: 0, what: "pick" });
    for (const path of Array.from(journal.state.accepted)) moveOf(journal, path, "merge");
    carryOut(journal);
  }
}

/** The same for the step at `path`. */
export function moveOf(journal: Journal, path: string, what: Move["what"]): void {
  const active = [...journal.state.queued, ...journal.state.running, ...journal.state.accepted];
  move(journal, { pick: active.indexOf(path), what });
}
