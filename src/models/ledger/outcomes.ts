import { currentAttempt, fold, type EventType, type Recorded, type RunState, type StepState, type Usage } from "../../domain/index.ts";
import type { OutcomeRow, Store } from "../../store/index.ts";

const OFFSET = "outcomes";
/** Runs looked at in one transaction. */
const BATCH = 20;
const LEASE_MS = 60_000;

/** What tells that a run has something new to learn from. */
const TELLING: readonly EventType[] = [
  "AttemptAccepted",
  "AttemptRejected",
  "AttemptFailed",
  "AttemptInterrupted",
  "MergeRefused",
  "StepReopened",
  "StepCompleted",
  "FeedbackGiven",
  "RunMerged",
];

export interface OutcomesImport {
  store: Pick<Store, "read" | "readAll" | "commit" | "offset" | "acquire" | "release">;
  /** Who imports, as in leases. */
  holder: string;
  now: number;
}

/**
 * Brings what is known of attempts up to the journal. Rows of a run are always made from its whole stream, so it does not matter where an
 * earlier import ended, or whether two came at once; a lease keeps the later one from being overtaken. Answers how many rows were written;
 * none when another process is at it.
 */
export function importOutcomes(options: OutcomesImport): Promise<number> {
  // A holder that asks again takes its own lease over: of two imports of one process the first would be refused.
  const before = underWay.get(options.store) ?? Promise.resolve(0);
  const mine = before.catch(() => 0).then(() => importOnce(options));
  underWay.set(options.store, mine);
  return mine;
}

/** The last import that was asked for, by store. */
const underWay = new WeakMap<object, Promise<number>>();

async function importOnce({ store, holder, now }: OutcomesImport): Promise<number> {
  const taken = await store.acquire({ key: "import:outcomes", holder, until: now + LEASE_MS, now });
  if (!taken.ok) return 0;
  try {
    const from = await store.offset(OFFSET);
    const news = await store.readAll({ after: from, types: TELLING });
    const last = news.at(-1)?.globalSeq;
    if (last === undefined) return 0;
    const streams = [...new Set(news.map((e) => e.stream))];
    let written = 0;
    for (let i = 0; i < streams.length; i += BATCH) {
      const rows: OutcomeRow[] = [];
      for (const stream of streams.slice(i, i + BATCH)) rows.push(...outcomesOf(await store.read(stream)));
      written += rows.length;
      const isLast = i + BATCH >= streams.length;
      await store.commit({
        fence: [taken.lease],
        projections: [{ kind: "outcomes", rows }, ...(isLast ? [{ kind: "offset" as const, key: OFFSET, value: last }] : [])],
      });
    }
    return written;
  } finally {
    await store.release(taken.lease);
  }
}

/** A row for each attempt of a run that an agent was given, with all that is known by now. Pure. */
export function outcomesOf(events: readonly Recorded[]): OutcomeRow[] {
  const state = fold(events);
  const routed = new Map<string, { type: string; complexity?: number; policy?: string }>();
  for (const { event } of events) {
    if (event.type !== "AttemptRouted") continue;
    const { attempt, type = "other", complexity, policy } = event.data;
    routed.set(attempt, { type, ...(complexity === undefined ? {} : { complexity }), ...(policy === undefined ? {} : { policy }) });
  }
  const truth = laterTruth(events, state);
  const { workload } = state;
  const rows: OutcomeRow[] = [];
  for (const s of state.steps.values()) {
    if (s.step.kind !== "agent") continue;
    for (const a of s.attempts) {
      if (a.agent === undefined) continue;
      const known = truth.get(a.id);
      rows.push({
        attempt: a.id,
        runId: state.runId,
        step: s.step.path,
        project: workload ? `workload:${workload.name}` : state.project,
        at: a.routedAt,
        agent: a.agent,
        tier: a.tier,
        ...(routed.get(a.id) ?? { type: "other" }),
        // Said by whoever made the benchmark: better than what routing makes of a prompt.
        ...(workload ? { complexity: workload.complexity } : {}),
        verdict: verdictOf(a.phase),
        ...(a.failure ? { failure: a.failure.kind } : {}),
        gates: (a.gates ?? []).map(({ name, kind, verdict }) => ({ name, kind, verdict })),
        ...(known ? { truth: known } : {}),
        microUsd: a.usage?.microUsd ?? 0,
        ...(isUnpriced(a.usage) ? { isUnpriced: true } : {}),
        ms: Math.max(0, (a.endedAt ?? a.startedAt ?? 0) - (a.startedAt ?? a.endedAt ?? 0)),
      });
    }
  }
  return rows;
}

/** No gateway saw what it used, or no price was known for it: that it cost nothing is not what is known. */
const isUnpriced = (usage: Usage | undefined): boolean => usage === undefined || (usage.provenance === "unknown" && usage.microUsd === 0);

/** The merge queue refuses what was accepted: the gates had said yes to it. */
function verdictOf(phase: StepState["attempts"][number]["phase"]): OutcomeRow["verdict"] {
  switch (phase) {
    case "queued":
    case "running":
      return "open";
    case "accepted":
    case "merging":
    case "merged":
    case "refused":
      return "accepted";
    case "rejected":
      return "refused";
    case "failed":
    case "interrupted":
      return phase;
    default:
      return phase satisfies never;
  }
}

type Truth = NonNullable<OutcomeRow["truth"]>;

/**
 * What became clear after the gates had spoken. From the weakest on, the later one counts: a person merged the run's branch; work of one step
 * alone had come in between when another's gates failed on the merged tree; a person asked for rework; a person said what it was worth.
 */
function laterTruth(events: readonly Recorded[], state: RunState): Map<string, Truth> {
  const truth = new Map<string, Truth>();
  const said = new Map<string, Truth>();
  const merged: { attempt: string; step: string; commit: string }[] = [];
  const latest = new Map<string, string>();
  const startedFrom = new Map<string, string | undefined>();
  for (const { event } of events) {
    switch (event.type) {
      case "AttemptStarted":
        startedFrom.set(event.data.attempt, event.data.from);
        break;
      case "ResultMerged":
        merged.push(event.data);
        latest.set(event.data.step, event.data.attempt);
        break;
      case "StepCompleted":
        if (event.data.attempt !== undefined) latest.set(event.data.step, event.data.attempt);
        break;
      case "MergeRefused": {
        // Accepted on what it started from, refused by its own gates on the merged tree: what came in between broke it.
        if (!event.data.gates.some((g) => g.verdict === "refused")) break;
        const from = startedFrom.get(event.data.attempt);
        const between = merged.slice(merged.findIndex((m) => m.commit === from) + 1).filter((m) => m.step !== event.data.step);
        const [only, ...others] = between;
        if (only && others.length === 0)
          truth.set(only.attempt, { verdict: "wrong", because: `merged, it made the gates of ${event.data.step} fail` });
        break;
      }
      case "StepReopened": {
        const attempt = latest.get(event.data.step);
        if (attempt !== undefined && event.data.findings.length > 0)
          truth.set(attempt, { verdict: "wrong", because: "a person asked for rework" });
        break;
      }
      case "FeedbackGiven":
        said.set(event.data.attempt, { verdict: event.data.verdict, because: event.data.because ?? `${event.data.by} said so` });
        break;
      case "RunMerged":
        for (const s of state.steps.values()) {
          const a = currentAttempt(s);
          if (a && (a.phase === "merged" || a.phase === "accepted") && !truth.has(a.id))
            truth.set(a.id, { verdict: "right", because: "a person merged the run" });
        }
        break;
      default:
    }
  }
  return new Map([...truth, ...said]);
}
