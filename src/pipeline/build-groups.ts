import type { GroupBody, GroupStep, Step } from "../domain/index.ts";
import { buildWork, finishStep, restingStep, type Flow } from "./build.ts";
import { literal } from "./expression/cel.ts";
import { parseTemplate } from "./expression/template.ts";
import { DEFAULT_MOST } from "./field-checks.ts";
import type { ReadPipeline } from "./reading.ts";
import type { AgentFields, BestOfFields, NestedFields, RepeatedFields } from "./shape.ts";

export type EachFields = RepeatedFields;

/** The step itself, or the group that makes one of it for each value. */
export function buildEach(fields: EachFields, step: Step): Step {
  if (fields.matrix === undefined && fields.foreach === undefined) return step;
  // When it runs, and what its end means, is the group's matter; what it does, each child's.
  const { if: condition, when, mayFail, needs, ...child } = step;
  return {
    ...restingStep({ path: step.path, needs, ownEnv: {} }, {}, false),
    priority: step.priority,
    ...(step.phase === undefined ? {} : { phase: step.phase }),
    ...(condition === undefined ? {} : { if: condition }),
    ...(when === undefined ? {} : { when }),
    ...(mayFail === undefined ? {} : { mayFail }),
    kind: "group",
    body: {
      kind: "each",
      over: overOf(fields),
      most: fields.max ?? DEFAULT_MOST,
      failFast: fields["fail-fast"] ?? true,
      ...(fields.parallel === undefined ? {} : { parallel: fields.parallel }),
      step: { ...child, needs: [] } as Step,
    },
  };
}

/** The step itself, or the group that has it done by several. */
export function buildBestOf(fields: AgentFields, step: Step): Step {
  const bestOf = fields["best-of"];
  if (bestOf === undefined || step.kind !== "agent") return step;
  const { n = 0, agents, tiers, judges, stronger, rubric }: BestOfFields = bestOf;
  const isJudged = judges !== undefined || stronger !== undefined || rubric !== undefined;
  // What all of them may spend together is the group's.
  const { if: condition, when, mayFail, needs, budget, ...child } = step;
  return {
    ...restingStep({ path: step.path, needs, ownEnv: {} }, {}, step.readonly),
    priority: step.priority,
    ...(step.phase === undefined ? {} : { phase: step.phase }),
    ...(condition === undefined ? {} : { if: condition }),
    ...(when === undefined ? {} : { when }),
    ...(mayFail === undefined ? {} : { mayFail }),
    ...(budget === undefined ? {} : { budget }),
    kind: "group",
    body: {
      kind: "best-of",
      step: { ...child, needs: [] },
      candidates: agents?.map((id) => ({ id })) ?? tiers?.map((tier) => ({ tier })) ?? Array.from({ length: n }, () => ({})),
      ...(isJudged
        ? {
            judging: {
              judges: judges === undefined ? [] : [...new Set([judges].flat())],
              ...(stronger === undefined ? {} : { stronger }),
              ...(rubric === undefined ? {} : { rubric }),
            },
          }
        : {}),
    },
  };
}

function overOf({ matrix, foreach }: EachFields): Extract<GroupBody, { kind: "each" }>["over"] {
  if (foreach !== undefined) return { kind: "list", items: typeof foreach === "string" ? foreach : celOfValue(foreach) };
  const { include = [], exclude = [], ...axes } = matrix ?? {};
  return { kind: "matrix", axes, include, exclude };
}

/** A value of YAML as CEL: its texts with `${{ }}` become what these say. */
function celOfValue(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(celOfValue).join(", ")}]`;
  if (typeof value === "object" && value !== null)
    return `{${Object.entries(value)
      .map(([key, part]) => `${literal(key)}: ${celOfValue(part)}`)
      .join(", ")}}`;
  const parsed = typeof value === "string" ? parseTemplate(value) : undefined;
  if (!parsed?.ok) return literal(value);
  const parts = parsed.parts.map((part) => (part.kind === "expression" ? part.text : part.kind === "text" ? literal(part.text) : '""'));
  if (parts.length === 1 && parsed.parts[0]?.kind === "expression") return `(${parts[0] ?? ""})`;
  return parts.length === 0
    ? '""'
    : parts.map((text, i) => (parsed.parts[i]?.kind === "expression" ? `string(${text})` : text)).join(" + ");
}

/** A step that nests a pipeline. `body`: the steps inside, with the one that `until: { command }` adds. */
export function buildNested(fields: NestedFields, flow: Flow, read: ReadPipeline): { step: GroupStep; body: Step[] } {
  const { repeat } = fields;
  const { pipeline } = read;
  const until = repeat?.until;
  const isCommand = typeof until === "object";
  const steps = isCommand ? [...pipeline.steps, untilStep(until.command, read)] : pipeline.steps;
  return {
    body: steps,
    step: {
      ...restingStep(flow, fields, false),
      env: { ...flow.ownEnv },
      ...(fields.budget === undefined ? {} : { budget: fields.budget }),
      kind: "group",
      body: {
        kind: "pipeline",
        pipeline: { ...pipeline, steps },
        with: fields.with ?? {},
        ...(repeat && until !== undefined
          ? { repeat: { until: isCommand ? 'steps.until.outcome == "succeeded"' : until, most: repeat.max } }
          : {}),
      },
    },
  };
}

/**
 * Asks a command whether another round is needed: it comes last, changes nothing, and its failure is an answer. A step that a condition
 * skipped does not keep it from running.
 */
function untilStep(command: string, read: ReadPipeline): Step {
  const before = read.pipeline.steps.filter((step) => step.when === undefined);
  const step = buildWork(
    {
      kind: "command",
      command,
      fields: { command, readonly: true, retry: { attempts: 1 }, "may-fail": true },
      flow: { path: "until", needs: before.map((s) => s.path), ownEnv: {} },
    },
    read,
  );
  return finishStep(before.some((s) => s.if !== undefined) ? { ...step, when: "always" } : step);
}
