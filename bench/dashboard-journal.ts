import {
  apply,
  currentAttempt,
  decide,
  emptyRun,
  type AgentStep,
  type EventData,
  type Pipeline,
  type RunEvent,
  type RunState,
  type Step,
  type Usage,
} from "../src/domain/index.ts";

/**
 * Journals of runs that never were, as a real engine would have written them: what follows from what is asked of `decide`, and only the outcomes of
 * attempts are made up. Pure: the same options, the same journal.
 */
export interface MadeUpRun {
  runId: string;
  /** Absolute path. */
  project: string;
  steps: number;
  /** Of so many attempts one is accepted; the others are refused and tried again. */
  attemptsPerStep: number;
  /** Attempts at a time. */
  slots: number;
  /** How often a running attempt tells how far it is. */
  reports: number;
  /** Epoch ms of the first event, and between one and the next. */
  startedAt: number;
  everyMs: number;
  seed: number;
}

export interface MadeUpEvent {
  event: RunEvent;
  at: number;
}

const AGENTS = ["haiku", "sonnet", "opus"] as const;
const TIERS = ["free", "mid", "premium"] as const;

/** The events of the run from its first to its last, one by one. */
export function* madeUpRun(options: MadeUpRun): Generator<MadeUpEvent, RunState> {
  const state = emptyRun();
  const random = randomFrom(options.seed);
  let at = options.startedAt;
  let version = 0;
  const take = (event: RunEvent): MadeUpEvent => {
    at += options.everyMs;
    apply(state, { event, at, version: ++version });
    return { event, at };
  };
  yield take({ type: "RunStarted", data: startOf(options) });
  while (state.status === "running") {
    for (let isSettled = false; !isSettled;) {
      isSettled = true;
      for (const decision of decide(state, at)) {
        if (decision.kind === "record") {
          isSettled = false;
          yield take(decision.event);
        } else if (decision.kind === "route") {
          isSettled = false;
          yield take(routed(state, decision));
        }
      }
    }
    if (state.status !== "running") break;
    const event = happens(state, options, random);
    if (!event) throw new Error(`nothing can happen any more after ${version} events`);
    yield take(event);
  }
  return state;
}

/** Layers of ten, each step needing two or three of the layer before: a graph as wide as it is long. */
function pipelineOf(steps: number, attempts: number): Pipeline {
  const width = Math.max(4, Math.round(Math.sqrt(steps / 2)));
  return {
    name: `made up, ${steps} steps`,
    steps: Array.from({ length: steps }, (_, i): Step => {
      const above = i - width;
      const needs = above < 0 ? [] : [above, i % 3 === 0 ? above - (above % width) : above].map((n) => nameOf(n));
      return stepOf(nameOf(i), [...new Set(needs)], attempts);
    }),
  };
}

const nameOf = (i: number): string => `part-${String(i + 1).padStart(4, "0")}`;

const stepOf = (path: string, needs: string[], attempts: number): AgentStep => ({
  kind: "agent",
  prompt: `Do ${path}.`,
  agent: { capability: [] },
  path,
  needs,
  readonly: false,
  outputs: { files: [`out/${path}.md`] },
  gates: [{ kind: "command", name: "npm test", command: "npm test", timeoutMs: 600_000 }],
  setup: [],
  retry: { attempts, backoffMs: 0 },
  timeoutMs: 1_800_000,
  env: {},
  touches: [],
  priority: 0,
});

const startOf = ({ runId, project, steps, attemptsPerStep }: MadeUpRun): EventData<"RunStarted"> => ({
  runId,
  pipeline: pipelineOf(steps, Math.ceil(attemptsPerStep * 50)),
  project,
  base: "0".repeat(40),
  branch: `stepfall/${runId}`,
  source: "pipeline.yaml",
  agents: AGENTS.map((id, i) => ({ id, tier: TIERS[i] ?? "mid", executor: "chat", model: id })),
  includeDirty: false,
});

function routed(state: RunState, { attempt, step, n }: { attempt: string; step: string; n: number }): RunEvent {
  const level = Math.min(2, n - 1);
  const tier = TIERS[level] ?? "mid";
  const before = state.steps.get(step)?.attempts.at(-1)?.tier;
  return {
    type: "AttemptRouted",
    data: {
      attempt,
      step,
      n,
      tier,
      candidates: [AGENTS[level] ?? "sonnet"],
      reasons: [`the waterfall of this step stands at ${tier}`, "complexity 4 of 10: it edits files, and its context is small"],
      type: "edit",
      complexity: 4,
      ...(before !== undefined && before !== tier ? { escalatedFrom: before } : {}),
    },
  };
}

/** One thing that happens next to one of the steps under way. */
function happens(state: RunState, { attemptsPerStep, slots, reports }: MadeUpRun, random: () => number): RunEvent | undefined {
  const merging = first(state.accepted);
  if (merging !== undefined) return mergeNext(state, merging);
  const queued = first(state.queued);
  if (queued !== undefined && (state.running.size === 0 || (state.running.size < slots && random() < 0.5))) {
    const a = attemptOf(state, queued);
    return {
      type: "AttemptStarted",
      data: { ...a.of, agent: a.candidate, node: "bench:1:1", epoch: 1, queuedMs: Math.floor(random() * 900), from: "0".repeat(40) },
    };
  }
  const running = nth(state.running, Math.floor(random() * state.running.size));
  if (running === undefined) return undefined;
  const a = attemptOf(state, running);
  const told = state.steps.get(running)?.attempts.at(-1)?.requests?.reports ?? 0;
  if (told < reports)
    return {
      type: "AgentReported",
      data: { ...a.of, request: `${a.of.attempt}-${told}`, text: `part ${told + 1} of ${reports}`, percent: (100 * told) / reports },
    };
  const usage = usageOf(random);
  const gate = { name: "npm test", kind: "command", durationMs: Math.floor(random() * 4000) };
  if (random() * attemptsPerStep < 1)
    return {
      type: "AttemptAccepted",
      data: { ...a.of, commit: commitOf(random), gates: [{ ...gate, verdict: "passed" }], summary: "It is done.", usage },
    };
  const finding = {
    gate: "npm test",
    message: "2 of 31 tests fail",
    evidence: "not ok 7 - totals add up\nnot ok 8 - an empty cart costs nothing",
  };
  return {
    type: "AttemptRejected",
    data: {
      ...a.of,
      commit: commitOf(random),
      gates: [{ ...gate, verdict: "refused", evidence: finding.evidence }],
      findings: [finding],
      usage,
    },
  };
}

function mergeNext(state: RunState, path: string): RunEvent {
  const attempt = currentAttempt(state.steps.get(path) ?? unknown(path));
  if (!attempt) return unknown(path);
  const of = { attempt: attempt.id, step: path };
  return attempt.phase === "accepted"
    ? { type: "MergeIntended", data: { ...of, onto: "0".repeat(40), commit: attempt.commit ?? "" } }
    : { type: "ResultMerged", data: { ...of, commit: attempt.commit ?? "" } };
}

function attemptOf(state: RunState, path: string): { of: { attempt: string; step: string }; candidate: string } {
  const attempt = currentAttempt(state.steps.get(path) ?? unknown(path));
  if (!attempt) return unknown(path);
  return { of: { attempt: attempt.id, step: path }, candidate: attempt.candidates[0] ?? "sonnet" };
}

const unknown = (path: string): never => {
  throw new Error(`${path} has no attempt`);
};

const usageOf = (random: () => number): Usage => {
  const inputTokens = 2000 + Math.floor(random() * 20_000);
  const outputTokens = 200 + Math.floor(random() * 2000);
  return { calls: 4, inputTokens, cachedInputTokens: 0, outputTokens, microUsd: inputTokens + 5 * outputTokens, provenance: "reported" };
};

const commitOf = (random: () => number): string => Array.from({ length: 40 }, () => Math.floor(random() * 16).toString(16)).join("");

const first = (set: ReadonlySet<string>): string | undefined => set.values().next().value;
const nth = (set: ReadonlySet<string>, n: number): string | undefined => [...set][n];

/** Numbers in [0, 1) that look random and are the same each time (a linear congruential generator, modulus 2^31). */
function randomFrom(seed: number): () => number {
  let state = (seed * 2_654_435_761) % 2_147_483_648;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor(state / 128) / 16_777_216;
  };
}
