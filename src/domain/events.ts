import { z } from "zod";
import { Pipeline, Step } from "./pipeline.ts";

/** Why a gate, or the completion contract, refused: handed to the next attempt word for word. */
export const Finding = z.object({
  /** The gate's name, or `contract`, `merge`, `protected`. */
  gate: z.string(),
  message: z.string(),
  /** What was seen: output of the command, names of files. Cut to a few kilobytes, secrets masked. */
  evidence: z.string().optional(),
});
export type Finding = z.infer<typeof Finding>;

export const GateResult = z.object({
  name: z.string(),
  kind: z.string(),
  verdict: z.enum(["passed", "refused", "errored"]),
  durationMs: z.number(),
  evidence: z.string().optional(),
  /** What it cost. Absent: it asks no model. */
  microUsd: z.number().int().optional(),
});
export type GateResult = z.infer<typeof GateResult>;

/** Where a figure comes from: the provider said so, it was counted from what passed, or it is only bounded. */
export const Provenance = z.enum(["reported", "estimated", "unknown"]);
export type Provenance = z.infer<typeof Provenance>;

/** Tokens and money of one attempt, summed over its calls. `inputTokens` includes cached ones. */
export const Usage = z.object({
  calls: z.number().int(),
  inputTokens: z.number().int(),
  cachedInputTokens: z.number().int(),
  outputTokens: z.number().int(),
  microUsd: z.number().int(),
  /** The weakest provenance among the calls. */
  provenance: Provenance,
});
export type Usage = z.infer<typeof Usage>;

export const FailureKind = z.enum([
  "agent", // the agent ended without doing its work, and said so
  "crash", // the process died
  "timeout",
  "stuck", // it made no progress, and was stopped for it
  "provider", // the model endpoint failed
  "budget", // a budget stopped it
  "quota", // the provider's limit is met; it goes on when that is over
  "setup", // preparing the workspace failed
  "internal", // ours
]);
export type FailureKind = z.infer<typeof FailureKind>;

/**
 * Whose credentials an agent uses. `metered`: ours, through the gateway. `pass-through`: its own login, through the gateway, which
 * counts. `direct`: its own login and HOME without the gateway; usage is what the agent says.
 */
export const CredentialMode = z.enum(["metered", "pass-through", "direct"]);
export type CredentialMode = z.infer<typeof CredentialMode>;

/** What a budget is for, from the widest: see budgets.ts. */
export const BudgetScope = z.enum(["fleet", "project", "run", "step", "attempt"]);
export type BudgetScope = z.infer<typeof BudgetScope>;

const attempt = { attempt: z.string(), step: z.string() };

/**
 * Every event a run's stream may hold. Past tense; a published shape is never changed, only superseded by one with
 * a higher schema version and an upcaster (see upcast.ts).
 */
export const eventSchemas = {
  RunStarted: z.object({
    runId: z.string(),
    pipeline: Pipeline,
    /** Absolute path of the project's top folder. */
    project: z.string(),
    /** The commit the run starts from: gates, settings and protected paths are read from it. */
    base: z.string(),
    /** `stepfall/<runId>`. */
    branch: z.string(),
    /** Where the pipeline came from, for people. */
    source: z.string().optional(),
    /** Agents the run may use, as registered at its start. */
    agents: z.array(z.object({ id: z.string(), tier: z.string(), executor: z.string(), model: z.string().optional() })),
    includeDirty: z.boolean(),
    /** Values of the pipeline's inputs, defaults filled in. */
    inputs: z.record(z.string(), z.unknown()).optional(),
    /** What the settings let each step and each attempt spend, micro-dollars. The run's own is in its pipeline. */
    budgets: z.object({ step: z.number().int().optional(), attempt: z.number().int().optional() }).optional(),
    /** Tiers, from the cheapest up. Absent: `free`, `mid`, `premium`. */
    tiers: z.array(z.string()).optional(),
    /** Set for the runs of a benchmark: which task of which workload, and how hard it is taken to be, 1 to 10. What routing learns of them counts for every project. */
    workload: z.object({ name: z.string(), task: z.string(), complexity: z.number() }).optional(),
  }),
  /** Its needs are over and its condition holds: the step with every `${{ }}` filled in. */
  StepResolved: z.object({ step: z.string(), resolved: Step }),
  /** A group got its children; a repeated one those of its next round. */
  StepExpanded: z.object({
    step: z.string(),
    /** From 1. */
    round: z.number().int(),
    children: z.array(Step),
    /** What `inputs.x` means in the children's expressions. */
    inputs: z.record(z.string(), z.unknown()).optional(),
  }),
  AttemptRouted: z.object({
    ...attempt,
    n: z.number().int(),
    tier: z.string(),
    /** Agent ids that may reserve it. */
    candidates: z.array(z.string()),
    reasons: z.array(z.string()),
    /** What kind of work it was taken for. */
    type: z.string().optional(),
    /** How hard the step looked, 1 to 10. */
    complexity: z.number().optional(),
    /** The tier before, when tries there were no good. */
    escalatedFrom: z.string().optional(),
    /** The policy it follows, where a project compares two. */
    policy: z.string().optional(),
  }),
  AttemptStarted: z.object({
    ...attempt,
    agent: z.string(),
    node: z.string(),
    epoch: z.number().int(),
    /** Milliseconds between queue and reservation. */
    queuedMs: z.number(),
    /** Absent: metered, or no model at all. */
    credentials: CredentialMode.optional(),
    /** The run branch's tip the workspace is made from; absent when the executor needs no workspace. */
    from: z.string().optional(),
  }),
  AttemptAccepted: z.object({
    ...attempt,
    /** The judged commit; absent when the attempt changed nothing and need not. */
    commit: z.string().optional(),
    gates: z.array(GateResult),
    /** Structured output, when the step declares one. */
    output: z.unknown().optional(),
    summary: z.string().optional(),
    /** Changes to protected paths that were dropped before judging. */
    dropped: z.array(z.string()).optional(),
    usage: Usage.optional(),
  }),
  AttemptRejected: z.object({
    ...attempt,
    commit: z.string().optional(),
    gates: z.array(GateResult),
    findings: z.array(Finding),
    summary: z.string().optional(),
    usage: Usage.optional(),
  }),
  AttemptFailed: z.object({
    ...attempt,
    kind: FailureKind,
    message: z.string(),
    usage: Usage.optional(),
    /** Of kind `quota`: whose limit it is, and when it may go on, epoch ms. */
    quota: z.object({ provider: z.string(), retryAt: z.number() }).optional(),
  }),
  /** It did not end by itself: the engine, the machine or a person stopped it. Never counts as a try. */
  AttemptInterrupted: z.object({ ...attempt, because: z.string(), evidence: z.string().optional(), usage: Usage.optional() }),
  /** Another engine goes on with a running attempt: its agent never stopped. */
  AttemptReattached: z.object({ ...attempt, node: z.string(), epoch: z.number().int() }),
  /** A person says something to the agent of a running attempt. */
  MessageSent: z.object({
    ...attempt,
    /** Of the attempt's messages, from 1 on. */
    n: z.number().int(),
    /** Masked. */
    text: z.string(),
    by: z.string(),
  }),
  /** It has reached the agent. One without this when its attempt is over came too late. */
  MessageDelivered: z.object({ ...attempt, n: z.number().int() }),
  /** An agent tells how far it is. `request`: its id; one that is handed on twice is recorded once. */
  AgentReported: z.object({
    ...attempt,
    request: z.string(),
    /** Masked. */
    text: z.string(),
    /** 0 to 100, as the agent says. */
    percent: z.number().optional(),
    phase: z.string().optional(),
  }),
  /** An agent shares a fact with the other steps of its run. */
  BlackboardPut: z.object({
    ...attempt,
    request: z.string(),
    key: z.string(),
    /** Masked. */
    value: z.unknown(),
    /** How often the key was written, this time included. */
    version: z.number().int(),
  }),
  /** An attempt is over, and its agent's conversation can be taken up by the next one. Recorded before how it ended. */
  SessionKept: z.object({
    ...attempt,
    /** The agent whose session it is. */
    agent: z.string(),
    session: z.string(),
    /** What its files are based on. */
    from: z.string(),
    /** The attempt after which the folder is named that it worked in, and that is kept. */
    folder: z.string(),
  }),
  /** An attempt goes on with a kept session, in its folder. Recorded with AttemptStarted, after it. */
  SessionTaken: z.object({ ...attempt, session: z.string(), folder: z.string() }),
  /** A person gives a step to another agent: what runs is ended, and the next attempt goes to `agent`, or to any but `not`. */
  StepReassigned: z.object({
    step: z.string(),
    by: z.string(),
    agent: z.string().optional(),
    /** The agent that shall not have it. */
    not: z.string().optional(),
    because: z.string().optional(),
  }),
  /** Written before the run branch moves, so that a crash can tell whether it moved. */
  MergeIntended: z.object({ ...attempt, onto: z.string(), commit: z.string() }),
  ResultMerged: z.object({ ...attempt, commit: z.string() }),
  /** The merge queue refused accepted work: it conflicts, or its gates fail on the merged tree. */
  MergeRefused: z.object({ ...attempt, onto: z.string(), findings: z.array(Finding), gates: z.array(GateResult) }),
  /** One of a best-of step's candidates is to be merged; the others end when it is. */
  CandidatePicked: z.object({
    /** The group. */
    step: z.string(),
    /** The winner's. */
    attempt: z.string(),
    because: z.string(),
    /** Of those that were compared, by attempt: one for each other it beat, a half for each it was not told apart from. */
    scores: z.record(z.string(), z.number()).optional(),
    /** What judges said, for people. */
    evidence: z.string().optional(),
    /** What asking judges cost. Absent: nobody was asked. */
    microUsd: z.number().int().optional(),
  }),
  StepCompleted: z.object({
    step: z.string(),
    /** Absent for steps that are done without attempts: groups, approvals, questions. */
    attempt: z.string().optional(),
    /** Structured output of such a step. */
    output: z.unknown().optional(),
  }),
  StepFailed: z.object({ step: z.string(), because: z.string(), findings: z.array(Finding).optional() }),
  StepSkipped: z.object({
    step: z.string(),
    because: z.string(),
    /** It was not to run: no failure. Absent: it could not. */
    condition: z.literal(true).optional(),
  }),
  StepCancelled: z.object({ step: z.string() }),
  /** A person asked for rework: the step is done again, or waits again for one that is. */
  StepReopened: z.object({ step: z.string(), because: z.string(), findings: z.array(Finding) }),
  /** Something waits for people. */
  InboxOpened: z.object({
    /** `runId/stepPath!n`; unique for ever. */
    item: z.string(),
    step: z.string(),
    /** The attempt it is about, which runs meanwhile: it asks leave, or makes no progress. */
    attempt: z.string().optional(),
    kind: z.enum(["approval", "question", "permission", "budget"]),
    /** The account that is spent, see budgets.ts. */
    budget: z.string().optional(),
    title: z.string(),
    detail: z.string().optional(),
    /** Empty: any text. */
    choices: z.array(z.string()),
    /** Empty: anybody who can reach the inbox. */
    who: z.array(z.string()),
    /** How many must agree. */
    count: z.number().int(),
    expiresAt: z.number().optional(),
    /** Of a question that an agent asks: its request, which is handed on again when the engine dies. */
    request: z.string().optional(),
  }),
  /** Only people cause it. One that comes too late, or from somebody who was not asked, changes nothing. */
  InboxAnswered: z.object({
    item: z.string(),
    by: z.string(),
    verdict: z.enum(["approve", "reject", "rework", "answer"]),
    text: z.string().optional(),
  }),
  /** Later somebody knows what an attempt's result was worth, whatever the gates said. */
  FeedbackGiven: z.object({ ...attempt, verdict: z.enum(["right", "wrong"]), by: z.string(), because: z.string().optional() }),
  /** Somebody had the run go on that nobody drove any more. Recorded by the process that drives it now. */
  RunResumed: z.object({ by: z.string() }),
  CancelRequested: z.object({ reason: z.string().optional() }),
  /**
   * A hook of the user's that may refuse was asked before something began. Recorded where it refused, and where it gave no answer. What it
   * refused does not begin: a run is cancelled, an attempt's step fails, a merge is refused as by a gate.
   */
  HookAnswered: z.object({
    /** The hook's name. */
    hook: z.string(),
    before: z.enum(["run", "attempt", "merge"]),
    step: z.string().optional(),
    attempt: z.string().optional(),
    verdict: z.enum(["refused", "allowed"]),
    /** Its own words; where it gave no answer, why not. */
    because: z.string(),
    /** It could not be reached, or failed: the verdict is what its settings say for that. */
    unanswered: z.literal(true).optional(),
  }),
  /**
   * A budget cannot carry the next call: what it is for pauses, and people are asked. The run is not over: `BudgetRaised`, an answer for a
   * cheaper tier, or `BudgetLifted` lets it go on.
   */
  BudgetExhausted: z.object({
    scope: BudgetScope,
    /** The account, see budgets.ts. Absent: the run's, or the step's. */
    id: z.string().optional(),
    /** Of a step's budget and of an attempt's: the step or group that pauses. Of others: the step that found it out. */
    step: z.string().optional(),
    limit: z.number(),
    spent: z.number(),
    /** What the refused call would have reserved. Absent: not known. */
    needed: z.number().optional(),
  }),
  /** Also in the streams `fleet` and `project:KEY`, for budgets of these. An attempt's is that of the step's further attempts, too. */
  BudgetRaised: z.object({
    scope: BudgetScope,
    /** The account. Absent: the run's, or the step's. */
    id: z.string().optional(),
    step: z.string().optional(),
    limit: z.number(),
    /** The limit before. */
    from: z.number().optional(),
    /** Who raised it. */
    by: z.string().optional(),
  }),
  /** It pauses the run no more, though nobody raised it here: its period is over, or its limit has become another. */
  BudgetLifted: z.object({ id: z.string(), because: z.string() }),
  RunFinished: z.object({ outcome: z.enum(["succeeded", "failed", "cancelled"]), because: z.string().optional() }),
  /** A person took the run's result into a branch of theirs; the run itself was over. */
  RunMerged: z.object({ into: z.string(), commit: z.string() }),
} as const;

export type EventType = keyof typeof eventSchemas;
export type EventData<T extends EventType = EventType> = z.infer<(typeof eventSchemas)[T]>;

/** An event as decided, not yet in the journal. */
export type RunEvent = { [T in EventType]: { type: T; data: EventData<T> } }[EventType];

/** Current schema version of each type; 1 unless superseded. */
export const schemaVersions: Readonly<Partial<Record<EventType, number>>> = {
  StepCompleted: 2,
  AttemptFailed: 3,
  AttemptRouted: 2,
  RunStarted: 2,
  InboxOpened: 3,
  BudgetExhausted: 2,
  BudgetRaised: 2,
};

/** Who caused an event: `engine`, `cli:<user>`, `agent:<id>`. */
export type Actor = string;

/** An event as the journal holds it. `at` is epoch milliseconds; `version` counts from 1 within its stream. */
export interface Recorded<E = RunEvent> {
  globalSeq: number;
  stream: string;
  version: number;
  schemaVersion: number;
  at: number;
  actor: Actor;
  /** What led to it, e.g. an attempt id. */
  cause?: string | undefined;
  event: E;
}
