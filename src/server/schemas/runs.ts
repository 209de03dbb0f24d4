import { z } from "@hono/zod-openapi";
import { BudgetScope, CredentialMode, Finding, GateResult, Usage } from "../../domain/index.ts";
import { KnownProject, Liveness, MicroUsd, Ms, Outcome, ProviderState, QueueDepth, QuotaWait, ShownStatus, Slots, Time } from "./common.ts";

const RunSummary = z
  .object({
    runId: z.string(),
    project: z.string(),
    pipeline: z.string(),
    branch: z.string(),
    base: z.string(),
    status: ShownStatus,
    stepsTotal: z.number().int(),
    stepsDone: z.number().int(),
    startedAt: Time,
    endedAt: Time.optional(),
    durationMs: Ms,
    microUsd: MicroUsd,
    /** How long it did nothing but wait for people. */
    waitedForPeopleMs: Ms,
    /** Some of its calls were answered by a scripted model. */
    scripted: z.boolean(),
    quota: QuotaWait.optional(),
    queue: QueueDepth.optional(),
    live: z.array(Liveness).optional(),
  })
  .openapi("RunSummary");

export const Runs = z.object({ runs: z.array(RunSummary) }).openapi("Runs");

export const Overview = z
  .object({
    runs: z.array(RunSummary),
    waiting: z.number().int(),
    spentToday: MicroUsd,
    queue: QueueDepth,
    slots: Slots,
    projects: z.array(KnownProject),
    providers: z.array(ProviderState),
  })
  .openapi("Overview");

const BudgetPause = z
  .object({
    id: z.string(),
    scope: BudgetScope,
    step: z.string(),
    limit: MicroUsd,
    spent: MicroUsd,
    needed: MicroUsd.optional(),
    until: Time.optional(),
    item: z.string().optional(),
  })
  .openapi("BudgetPause");

const ItemKind = z.enum(["approval", "question", "permission", "budget", "conflict"]);

const WaitingItem = z
  .object({
    item: z.string(),
    step: z.string(),
    attempt: z.string().optional(),
    kind: ItemKind,
    budget: z.string().optional(),
    title: z.string(),
    detail: z.string().optional(),
    choices: z.array(z.string()),
    who: z.array(z.string()),
    count: z.number().int(),
    openedAt: Time,
    expiresAt: Time.optional(),
    answers: z.array(z.object({ by: z.string(), verdict: z.string(), text: z.string().optional(), at: Time })),
  })
  .openapi("WaitingItem");

const InboxEntry = z
  .object({
    item: z.string(),
    runId: z.string(),
    step: z.string(),
    kind: ItemKind,
    title: z.string(),
    detail: z.string().optional(),
    choices: z.array(z.string()),
    who: z.array(z.string()),
    openedAt: Time,
    expiresAt: Time.optional(),
    attempt: z.string().optional(),
    unblocks: z.number().int(),
    waitedMs: Ms,
    project: z.string(),
    pipeline: z.string(),
  })
  .openapi("InboxEntry");

export const Inbox = z.object({ items: z.array(InboxEntry) }).openapi("Inbox");

const AttemptReport = z
  .object({
    id: z.string(),
    n: z.number().int(),
    phase: z.enum(["queued", "running", "accepted", "merging", "merged", "rejected", "failed", "interrupted", "refused"]),
    agent: z.string().optional(),
    tier: z.string(),
    reasons: z.array(z.string()),
    queuedMs: Ms.optional(),
    startedAt: Time.optional(),
    endedAt: Time.optional(),
    commit: z.string().optional(),
    mergeCommit: z.string().optional(),
    gates: z.array(GateResult),
    findings: z.array(Finding),
    failure: z.looseObject({ kind: z.string(), message: z.string() }).optional(),
    interrupted: z.object({ because: z.string(), evidence: z.string().optional() }).optional(),
    summary: z.string().optional(),
    dropped: z.array(z.string()).optional(),
    output: z.unknown().optional(),
    usage: Usage.optional(),
    live: Liveness.optional(),
  })
  .openapi("AttemptReport");

const StepReport = z
  .object({
    id: z.string(),
    kind: z.string(),
    status: z.string(),
    because: z.string().optional(),
    needs: z.array(z.string()),
    endedAt: Time.optional(),
    attempts: z.array(AttemptReport),
    parent: z.string().optional(),
    mayFail: z.boolean().optional(),
    quota: QuotaWait.optional(),
    output: z.unknown().optional(),
  })
  .openapi("StepReport");

const Bill = z
  .object({
    runId: z.string(),
    rows: z.array(
      Usage.extend({
        attempt: z.string(),
        agent: z.string(),
        provider: z.string(),
        model: z.string(),
        tier: z.string(),
        refused: z.number().int(),
        credentials: CredentialMode,
      }),
    ),
    total: Usage.extend({ refused: z.number().int() }),
  })
  .openapi("Bill");

const ChangedFile = z.object({ path: z.string(), added: z.number().int(), removed: z.number().int(), binary: z.boolean() });

export const RunReport = z
  .object({
    runId: z.string(),
    pipeline: z.string(),
    source: z.string().optional(),
    project: z.string(),
    status: ShownStatus,
    because: z.string().optional(),
    base: z.string(),
    branch: z.string(),
    tip: z.string().optional(),
    checkedOut: z.string().optional(),
    diff: z.object({ files: z.array(ChangedFile) }).optional(),
    mergedInto: z.object({ into: z.string(), commit: z.string() }).optional(),
    startedAt: Time,
    endedAt: Time.optional(),
    budget: MicroUsd.optional(),
    halted: BudgetPause.optional(),
    paused: z.array(BudgetPause),
    steps: z.array(StepReport),
    waiting: z.array(WaitingItem),
    bill: Bill,
    scriptedProviders: z.array(z.string()),
    folder: z.string(),
    cleaned: z.boolean(),
    queue: z.object({ run: QueueDepth, all: QueueDepth }),
  })
  .openapi("RunReport");

/** Shapes of `event.data` by type: src/domain/events.ts. */
const Recorded = z
  .object({
    globalSeq: z.number().int(),
    stream: z.string(),
    version: z.number().int(),
    schemaVersion: z.number().int(),
    at: Time,
    actor: z.string(),
    cause: z.string().optional(),
    event: z.object({ type: z.string(), data: z.record(z.string(), z.unknown()) }),
  })
  .openapi("Recorded");

/** `last`: version of the last event of the page, for `after` of the next; the one given where the page is empty. */
export const Events = z.object({ events: z.array(Recorded), last: z.number().int() }).openapi("Events");

const LogLine = z
  .object({
    attempt: z.string(),
    step: z.string(),
    n: z.number().int(),
    role: z.string(),
    seq: z.number().int(),
    at: Time,
    stream: z.enum(["stdout", "stderr"]),
    text: z.string(),
  })
  .openapi("LogLine");

export const LogPage = z.object({ lines: z.array(LogLine), next: z.string(), isOver: z.boolean() }).openapi("LogPage");

export const DiffPage = z.object({ text: z.string(), files: z.array(ChangedFile), isTruncated: z.boolean() }).openapi("DiffPage");

/** What the agent of an attempt was told. `journal`: put together again, since its transcript does not have it. */
export const PromptPage = z
  .object({ text: z.string(), isTruncated: z.boolean(), source: z.enum(["transcript", "journal"]) })
  .openapi("PromptPage");

export const Started = z.object({ runId: z.string() }).openapi("Started");
export const Cancelled = z.object({ runId: z.string(), outcome: Outcome.optional() }).openapi("Cancelled");
export const Answered = z
  .object({ runId: z.string(), item: z.string(), stillNeeded: z.number().int(), driven: z.boolean() })
  .openapi("Answered");
export const FeedbackTaken = z.object({ attempt: z.string(), gates: z.enum(["accepted", "refused"]) }).openapi("FeedbackTaken");
export const Done = z.object({ runId: z.string() }).openapi("Done");
export const MessageTaken = z.object({ attempt: z.string(), agent: z.string(), n: z.number().int() }).openapi("MessageTaken");
/** `into`: the user's branch. `already`: it was there before, and nothing was done. */
export const Merged = z.object({ runId: z.string(), into: z.string(), commit: z.string(), already: z.boolean() }).openapi("Merged");
