import type { z } from "zod";
import { stuckByDefault, type AgentStep, type ApproveStep, type AskStep, type Step, type WorkStep } from "../domain/index.ts";
import { buildGates } from "./build-gates.ts";
import { parseTemplate } from "./expression/template.ts";
import type { Reading } from "./reading.ts";
import { plainStep } from "./resolve.ts";
import type { AgentStepShape, ApproveFields, AskFields, ControlFields, WorkFields } from "./shape.ts";
import { mapTexts } from "./step-texts.ts";

const MINUTE_MS = 60_000;
const DEFAULT_TIMEOUT_MS = 30 * MINUTE_MS;
/** Another attempt of an agent is told what was wrong; another try of a command is the same command again. See docs/adr/0006. */
const DEFAULT_ATTEMPTS = { agent: 3, command: 1 };

/** Where a step stands, and its variables as they are spelt. */
export interface Flow {
  path: string;
  needs: readonly string[];
  ownEnv: Readonly<Record<string, string>>;
}

export type WorkSource = { flow: Flow } & (
  | { kind: "agent"; prompt: string; fields: WorkFields }
  | { kind: "command"; command: string; fields: WorkFields }
);

/** What of the file holds for its steps. */
export type FileDefaults = Pick<Reading, "file" | "env">;

/** A step with every default filled in: the step's own word, then the file's, then ours. */
export function buildWork(work: WorkSource, { file, env }: FileDefaults): WorkStep {
  const { fields, flow } = work;
  const defaults = file.defaults ?? {};
  const retry = { ...defaults.retry, ...definedOf(fields.retry ?? {}) };
  const protectedGlobs = fields.protected ?? file.protected;
  const { json } = fields.outputs ?? {};
  const teardown = fields.teardown ?? defaults.teardown ?? [];
  const common = {
    path: flow.path,
    needs: [...flow.needs],
    readonly: fields.readonly ?? false,
    outputs: { files: fields.outputs?.files ?? [], ...(json ? { json } : {}) },
    gates: buildGates(fields.gates ?? []),
    setup: fields.setup ?? defaults.setup ?? [],
    ...(teardown.length === 0 ? {} : { teardown }),
    retry: { attempts: retry.attempts ?? DEFAULT_ATTEMPTS[work.kind], backoffMs: retry.backoff ?? 0 },
    timeoutMs: fields.timeout ?? defaults.timeout ?? DEFAULT_TIMEOUT_MS,
    ...stuckOf(fields, defaults),
    env: { ...env, ...flow.ownEnv },
    ...(fields.budget === undefined ? {} : { budget: fields.budget }),
    touches: fields.touches ?? [],
    priority: fields.priority ?? 0,
    ...(fields.affinity === undefined ? {} : { affinity: fields.affinity }),
    ...(protectedGlobs === undefined ? {} : { protected: protectedGlobs }),
    ...controlOf(fields),
  };
  if (work.kind === "command") return { ...common, kind: "command", command: work.command };
  const own: Partial<AgentFields> = fields;
  const { permissions, type, labels } = own;
  const escalate = own.escalate ?? defaults.escalate;
  // Tries at every tier need as many tries in all.
  const climb = typeof escalate === "object" && retry.attempts === undefined ? triesIn(escalate.attempts) : common.retry.attempts;
  return {
    ...common,
    retry: { ...common.retry, attempts: Math.max(common.retry.attempts, climb) },
    kind: "agent",
    prompt: work.prompt,
    agent: own.agent ?? defaults.agent ?? { capability: [] },
    ...(escalate === undefined ? {} : { escalate }),
    ...(type === undefined ? {} : { type }),
    ...(labels === undefined ? {} : { labels }),
    ...(permissions === undefined ? {} : { permissions }),
  };
}

type AgentFields = z.output<typeof AgentStepShape>;

/** As many as the tiers have together, where three is what most projects have. */
function triesIn(attempts: number | Readonly<Record<string, number>> | undefined): number {
  if (attempts === undefined) return DEFAULT_ATTEMPTS.agent;
  return typeof attempts === "number" ? DEFAULT_ATTEMPTS.agent * attempts : Object.values(attempts).reduce((sum, n) => sum + n, 0);
}

type StuckFields = Pick<WorkFields, "on-stuck" | "stuck-after">;

/** Nothing when nobody said anything: what holds then depends on who does the step. */
function stuckOf(own: StuckFields, defaults: StuckFields): Pick<WorkStep, "stuck"> {
  const move = own["on-stuck"] ?? defaults["on-stuck"];
  const afterMs = own["stuck-after"] ?? defaults["stuck-after"];
  return move === undefined && afterMs === undefined ? {} : { stuck: { ...stuckByDefault, ...definedOf({ move, afterMs }) } };
}

/** The common part of a step that nobody carries out. */
export const restingStep = (flow: Flow, fields: ControlFields, readonly: boolean) => ({
  path: flow.path,
  needs: [...flow.needs],
  readonly,
  outputs: { files: [] },
  gates: [],
  setup: [],
  retry: { attempts: 1, backoffMs: 0 },
  timeoutMs: DEFAULT_TIMEOUT_MS,
  env: {},
  touches: [],
  priority: fields.priority ?? 0,
  ...controlOf(fields),
});

export function buildApprove(fields: ApproveFields, flow: Flow): ApproveStep {
  const { approve } = fields;
  const whole = typeof approve === "string" ? { title: approve } : approve;
  return {
    ...restingStep(flow, fields, true),
    kind: "approve",
    title: whole.title,
    ...(whole.detail === undefined ? {} : { detail: whole.detail }),
    who: listOf(whole.who),
    count: whole.count ?? 1,
    ...(whole.expires === undefined ? {} : { expiresMs: whole.expires }),
    onExpiry: whole["on-expiry"] ?? "reject",
    rework: whole.rework === undefined ? [...flow.needs] : listOf(whole.rework),
  };
}

export function buildAsk(fields: AskFields, flow: Flow): AskStep {
  const { ask } = fields;
  const whole = typeof ask === "string" ? { question: ask } : ask;
  return {
    ...restingStep(flow, fields, true),
    kind: "ask",
    question: whole.question,
    choices: whole.choices ?? [],
    ...(whole.default === undefined || whole.after === undefined ? {} : { fallback: { answer: whole.default, afterMs: whole.after } }),
  };
}

const listOf = (value: string | string[] | undefined): string[] => [...new Set(typeof value === "string" ? [value] : (value ?? []))];

function controlOf(fields: ControlFields): Partial<Pick<Step, "if" | "when" | "mayFail" | "phase">> {
  return {
    ...(fields.if === undefined ? {} : { if: fields.if }),
    ...(fields.finally ? { when: "always" as const } : fields["on-failure"] ? { when: "failed" as const } : {}),
    ...(fields["may-fail"] ? { mayFail: true } : {}),
    ...(fields.phase === undefined ? {} : { phase: fields.phase }),
  };
}

/** Marks a step whose texts wait for values; the texts of others are made what they mean at once. */
export function finishStep(step: Step): Step {
  if (step.kind === "group") {
    const { body } = step;
    const inner: Step =
      body.kind === "each"
        ? { ...step, body: { ...body, step: finishStep(body.step) } }
        : body.kind === "best-of"
          ? { ...step, body: { ...body, step: finishStep(body.step) as AgentStep } }
          : step;
    return isDynamic(inner) ? { ...inner, dynamic: true } : plainStep(inner);
  }
  return isDynamic(step) ? { ...step, dynamic: true } : plainStep(step);
}

function isDynamic(step: Step): boolean {
  let found = false;
  const holds = (text: string): boolean => {
    if (!text.includes("${{")) return false;
    const parsed = parseTemplate(text);
    return parsed.ok && parsed.parts.some((part) => part.kind === "expression");
  };
  mapTexts(step, (text) => {
    found ||= holds(text);
    return text;
  });
  if (step.kind !== "group") return found;
  const { body } = step;
  // A list is CEL, even one without a variable in it.
  if (body.kind === "each") return found || body.over.kind === "list" || holds(JSON.stringify(body.over));
  return found || (body.kind === "pipeline" && holds(JSON.stringify(body.with)));
}

const definedOf = <T extends object>(fields: T): Partial<T> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Partial<T>;
