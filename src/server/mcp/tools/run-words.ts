import { z } from "zod";
import type { AttemptReport, InboxEntry, RunReport, StepReport } from "../../../control/index.ts";
import type { AgentReport, InboxItem } from "../../../domain/index.ts";
import { ANSWER_CHARS, cut, FIELD_CHARS, fitting, gist } from "../bounded.ts";

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

/** Of what waits: an agent's question is whole, what a pipeline's author wrote may be longer. */
const ITEM_CHARS = 4100;
/** What waits, in an answer that tells other things, too. */
const WAITING_CHARS = 9000;

type Shown = Pick<InboxItem, "item" | "step" | "title" | "openedAt" | "count"> & {
  kind: ShownItem["kind"];
  detail?: string | undefined;
  choices: readonly string[];
  who: readonly string[];
  expiresAt?: number | undefined;
};

const itemOf = (runId: string, i: Shown): ShownItem => ({
  item: i.item,
  runId,
  step: i.step,
  kind: i.kind,
  title: cut(i.title, FIELD_CHARS),
  ...(i.detail === undefined ? {} : { detail: cut(i.detail, ITEM_CHARS, "the whole is in the dashboard and in `stepfall inbox`") }),
  choices: i.choices.slice(0, 50).map((choice) => cut(choice, FIELD_CHARS)),
  who: i.who.slice(0, 50),
  needs: i.count,
  openedAt: i.openedAt,
  ...(i.expiresAt === undefined ? {} : { expiresAt: i.expiresAt }),
});

/** As much of what waits in a run as fits, and how much does not. */
export function waitingIn({ runId, waiting }: Pick<RunReport, "runId" | "waiting">): { waiting: ShownItem[]; waitingLeftOut?: number } {
  const shown = fitting(
    waiting.slice(0, 50).map((i) => itemOf(runId, i)),
    WAITING_CHARS,
  );
  const leftOut = waiting.length - shown.length;
  return { waiting: shown, ...(leftOut > 0 ? { waitingLeftOut: leftOut } : {}) };
}

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
  report: z.string().optional().describe("How far the agent says it is"),
  live: z.string().optional().describe("How the attempt is, by what is seen of it"),
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
    ...(last?.phase === "running" && last.report ? { report: reportOf(last.report) } : {}),
    ...(last?.live ? { live: gist(`${last.live.state}: ${last.live.evidence.join("; ")}`) } : {}),
  };
};

const reportOf = ({ text, percent, phase }: AgentReport): string =>
  gist([...(percent === undefined ? [] : [`${percent} %`]), ...(phase === undefined ? [] : [phase]), text].join(", "));

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
  needs: s.needs.slice(0, 50),
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
export function nextOf(run: Pick<RunReport, "runId" | "status" | "waiting" | "branch" | "steps" | "mergedInto">): string {
  const { runId, status, waiting, branch, mergedInto } = run;
  switch (status) {
    case "succeeded":
      return mergedInto
        ? `It was merged into ${mergedInto.into}. get_diff shows what it changed; submit_feedback says what that was worth.`
        : `get_diff shows what it changed, on the branch ${branch}. The branch that is checked out has nothing of it: \`stepfall merge ${runId}\` merges it, when the person wants that. Once it is clear what the result is worth, say so with submit_feedback.`;
    case "failed": {
      const failed = run.steps.filter((s) => s.status === "failed").map((s) => s.id);
      const which = failed.length === 0 ? "a step" : few(failed.map((id) => gist(id, 100)));
      return `get_run with \`step\` tells why ${which} failed, get_logs what was printed. A run that ended is not resumed: correct what failed, then start another; \`stepfall run --again ${runId}\` does so with the same inputs.`;
    }
    case "cancelled":
      return `It is over. What was merged by then is on the branch ${branch}: get_diff shows it.`;
    case "waiting":
      return `It waits for people: ${waiting.length === 0 ? "see `inbox`" : few(waiting.map((w) => `${w.item} (${w.kind})`))}. Questions are answered with \`answer\`; what a person is to decide, \`approve\` puts to them.`;
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

/** The first of them, and how many more there are. */
const few = (names: readonly string[], most = 5): string =>
  `${names.slice(0, most).join(", ")}${names.length > most ? ` and ${names.length - most} more` : ""}`;
