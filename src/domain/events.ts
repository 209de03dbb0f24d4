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
  AttemptFailed: z.object({ ...attempt, kind: FailureKind, message: z.string(), usage: Usage.optional() }),
  /** It did not end by itself: the engine, the machine or a person stopped it. Never counts as a try. */
  AttemptInterrupted: z.object({ ...attempt, because: z.string(), evidence: z.string().optional(), usage: Usage.optional() }),
  /** Another engine goes on with a running attempt: its agent never stopped. */
  AttemptReattached: z.object({ ...attempt, node: z.string(), epoch: z.number().int() }),
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
    kind: z.enum(["approval", "question", "permission"]),
    title: z.string(),
    detail: z.string().optional(),
    /** Empty: any text. */
    choices: z.array(z.string()),
    /** Empty: anybody who can reach the inbox. */
    who: z.array(z.string()),
    /** How many must agree. */
    count: z.number().int(),
    expiresAt: z.number().optional(),
  }),
  /** Only people cause it. One that comes too late, or from somebody who was not asked, changes nothing. */
  InboxAnswered: z.object({
    item: z.string(),
    by: z.string(),
    verdict: z.enum(["approve", "reject", "rework", "answer"]),
    text: z.string().optional(),
  }),
  CancelRequested: z.object({ reason: z.string().optional() }),
  /** A budget stopped the run. It is not over: `BudgetRaised` lets it go on. */
  BudgetExhausted: z.object({ scope: z.enum(["run", "step"]), step: z.string().optional(), limit: z.number(), spent: z.number() }),
  BudgetRaised: z.object({ scope: z.enum(["run", "step"]), step: z.string().optional(), limit: z.number() }),
  RunFinished: z.object({ outcome: z.enum(["succeeded", "failed", "cancelled"]), because: z.string().optional() }),
  /** A person took the run's result into a branch of theirs; the run itself was over. */
  RunMerged: z.object({ into: z.string(), commit: z.string() }),
} as const;

export type EventType = keyof typeof eventSchemas;
export type EventData<T extends EventType = EventType> = z.infer<(typeof eventSchemas)[T]>;

/** An event as decided, not yet in the journal. */
export type RunEvent = { [T in EventType]: { type: T; data: EventData<T> } }[EventType];

/** Current schema version of each type; 1 unless superseded. */
export const schemaVersions: Readonly<Partial<Record<EventType, number>>> = { StepCompleted: 2, AttemptFailed: 2 };

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
