import { z } from "zod";
import type { AttemptReport, InboxEntry, RunReport, StepReport } from "../../../control/index.ts";
import type { InboxItem } from "../../../domain/index.ts";
import { ANSWER_CHARS, cut, FIELD_CHARS, gist } from "../bounded.ts";

/** How runs, steps and items look in the answers of tools. Money: micro-dollars. Times: epoch ms. */

export const runArgument = z.string().min(1).max(200).describe("Run id; its beginning or its end will do where only one run has it.");

export const charsArgument = z.int().min(500).max(100_000).default(ANSWER_CHARS).describe("Most characters to answer with");

export const shownItem = z.object({
  item: z.string(),
  runId: z.string(),
  step: z.string(),
  kind: z.enum(["approval", "question", "permission", "budget", "conflict"]),
  title: z.string(),
  detail: z.string().optional(),
  choices: z.array(z.string()).describe("Empty: any text"),
  who: z.array(z.string()).describe("Logins that may answer. Empty: anybody"),
  needs: z.number().describe("How many must agree"),
  openedAt: z.number(),
  expiresAt: z.number().optional(),
});
export type ShownItem = z.infer<typeof shownItem>;

type Shown = Pick<InboxItem, "item" | "step" | "title" | "openedAt" | "count"> & {
  kind: ShownItem["kind"];
  detail?: string | undefined;
  choices: readonly string[];
  who: readonly string[];
  expiresAt?: number | undefined;
};

export const itemOf = (runId: string, i: Shown): ShownItem => ({
  item: i.item,
  runId,
  step: i.step,
  kind: i.kind,
  title: cut(i.title, FIELD_CHARS),
  ...(i.detail === undefined ? {} : { detail: cut(i.detail, FIELD_CHARS, "the whole is in the dashboard and in `stepfall inbox`") }),
  choices: [...i.choices],
  who: [...i.who],
  needs: i.count,
  openedAt: i.openedAt,
  ...(i.expiresAt === undefined ? {} : { expiresAt: i.expiresAt }),
});

/** What a row of the inbox alone tells: `needs` is known to the run. */
export const shownEntry = shownItem.omit({ needs: true }).extend({
  project: z.string(),
  pipeline: z.string(),
  waitedMs: z.number(),
  unblocks: z.number().describe("Steps that wait for the answer"),
});

export const entryOf = (e: InboxEntry): z.infer<typeof shownEntry> => {
  const { needs: _, ...shown } = itemOf(e.runId, { ...e, count: 1 });
  return { ...shown, project: e.project, pipeline: e.pipeline, waitedMs: e.waitedMs, unblocks: e.unblocks };
};

export const shownStep = z.object({
  id: z.string(),
  kind: z.string(),
  status: z.string(),
  because: z.string().optional(),
  attempts: z.number(),
  agent: z.string().optional().describe("Of its last attempt"),
  tier: z.string().optional(),
});

export const stepOf = (s: StepReport): z.infer<typeof shownStep> => {
  const last = s.attempts.at(-1);
  return {
    id: s.id,
    kind: s.kind,
    status: s.status,
    ...(s.because === undefined ? {} : { because: gist(s.because) }),
    attempts: s.attempts.length,
    ...(last?.agent === undefined ? {} : { agent: last.agent }),
    ...(last === undefined ? {} : { tier: last.tier }),
  };
};

const shownAttempt = z.object({
  n: z.number(),
  phase: z.string(),
  agent: z.string().optional(),
  tier: z.string(),
  reasons: z.array(z.string()).describe("Why this agent and tier"),
  gates: z.array(z.object({ name: z.string(), verdict: z.string(), durationMs: z.number() })),
  findings: z.array(z.object({ gate: z.string(), message: z.string(), evidence: z.string().optional() })),
  failure: z.string().optional(),
  interrupted: z.string().optional(),
  said: z.string().optional().describe("What the agent says it did: its word, not the truth"),
  commit: z.string().optional(),
  microUsd: z.number().optional(),
});

export const stepDetail = z.object({
  id: z.string(),
  kind: z.string(),
  status: z.string(),
  because: z.string().optional(),
  needs: z.array(z.string()),
  output: z.string().optional().describe("Structured output, as JSON"),
  attempts: z.array(shownAttempt).describe("The last ones"),
  attemptsLeftOut: z.number(),
});

/** The last attempt is the one that matters: of those before it only the gist is told. */
const MOST_ATTEMPTS = 5;
const DETAILED = { findings: 6, chars: FIELD_CHARS / 2 };
const BRIEF = { findings: 2, chars: 200 };

export const detailOf = (s: StepReport): z.infer<typeof stepDetail> => ({
  id: s.id,
  kind: s.kind,
  status: s.status,
  ...(s.because === undefined ? {} : { because: cut(s.because, FIELD_CHARS) }),
  needs: [...s.needs],
  ...(s.output === undefined ? {} : { output: cut(JSON.stringify(s.output), FIELD_CHARS) }),
  attempts: s.attempts.slice(-MOST_ATTEMPTS).map((a) => attemptOf(a, a === s.attempts.at(-1) ? DETAILED : BRIEF)),
  attemptsLeftOut: Math.max(0, s.attempts.length - MOST_ATTEMPTS),
});

function attemptOf(a: AttemptReport, { findings, chars }: typeof DETAILED): z.infer<typeof shownAttempt> {
  const logs = "get_logs shows what was printed";
  return {
    n: a.n,
    phase: a.phase,
    ...(a.agent === undefined ? {} : { agent: a.agent }),
    tier: a.tier,
    reasons: a.reasons.slice(0, findings).map((r) => gist(r)),
    gates: a.gates.slice(0, 10).map(({ name, verdict, durationMs }) => ({ name: gist(name, 80), verdict, durationMs })),
    findings: a.findings.slice(0, findings).map(({ gate, message, evidence }) => ({
      gate: gist(gate, 80),
      message: cut(message, chars),
      ...(evidence === undefined ? {} : { evidence: cut(evidence, chars, logs) }),
    })),
    ...(a.failure ? { failure: cut(`${a.failure.kind}: ${a.failure.message}`, chars, logs) } : {}),
    ...(a.interrupted ? { interrupted: gist(a.interrupted.because) } : {}),
    ...(a.summary === undefined ? {} : { said: cut(a.summary, chars, logs) }),
    ...(a.commit === undefined ? {} : { commit: a.commit }),
    ...(a.usage ? { microUsd: a.usage.microUsd } : {}),
  };
}

/** What is best done next, said to an agent. */
export function nextOf({ runId, status, waiting, branch }: Pick<RunReport, "runId" | "status" | "waiting" | "branch">): string {
  switch (status) {
    case "succeeded":
      return `get_diff shows what it changed. The result is on the branch ${branch}; nothing was merged into the branch that is checked out. Once it is clear what the result is worth, say so with submit_feedback.`;
    case "failed":
      return "get_run with a step that failed tells why, get_logs what was printed. A run that ended is not resumed: correct what failed and start another.";
    case "cancelled":
      return "Nothing. It is over.";
    case "waiting":
      return `It waits for people: ${waiting.length === 0 ? "see `inbox`" : waiting.map((w) => `${w.item} (${w.kind})`).join(", ")}. Questions are answered with \`answer\`; what a person is to decide is the person's: tell them.`;
    case "budget":
      return "A budget is spent. A person raises it: `inbox` shows what is asked.";
    case "stopped":
      return `Nobody drives it: a person goes on with \`stepfall resume ${runId}\`.`;
    case "running":
      return "wait_run waits until it is over or asks something.";
    default:
      return status satisfies never;
  }
}
