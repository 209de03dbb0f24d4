import { shown } from "../config/index.ts";
import { agentOf, type BestOf, type GroupBody, type GroupStep, type Pipeline, type Step } from "../domain/index.ts";
import type { Evaluated, Scope } from "./evaluate.ts";
import { bindStep } from "./bind-values.ts";
import { evaluated, lookupIn, Unfilled, valueOf, type Locals } from "./fill.ts";
import { readInput } from "./inputs.ts";
import { combinations, combinationWords, slugs } from "./matrix.ts";
import { fillStep, isTrue, tooMany } from "./resolve.ts";
import { celOf } from "./expression/template.ts";

type Each = Extract<GroupBody, { kind: "each" }>;
type Nested = Extract<GroupBody, { kind: "pipeline" }>;

/**
 * Children of a resolved group, in order; `round` counts from 1 and matters to repeated groups only. Those of a list or a matrix are
 * resolved already and need nothing. Those of a pipeline have `if` and `${{ }}` of their own, and `inputs` is what `Scope.inputs` is for
 * them. Only `inputs` and `run` of the scope are read, unless the group is still dynamic.
 */
export function expandGroup(
  step: GroupStep,
  scope: Scope,
  round: number,
): Evaluated<{ children: Step[]; inputs?: Record<string, unknown> }> {
  return evaluated(() => {
    const group = step.dynamic ? fillStep(step, scope) : step;
    const { body } = group;
    switch (body.kind) {
      case "each":
        return { children: childrenOfEach(group, body, scope) };
      case "best-of":
        return { children: childrenOfBestOf(group, body, scope) };
      case "pipeline":
        return childrenOfPipeline(group, body, scope, round);
      default:
        return body satisfies never;
    }
  });
}

function childrenOfEach(group: GroupStep, body: Each, scope: Scope): Step[] {
  const locals = localsOf(group, body);
  if (locals.length > body.most) throw tooMany(`steps.${group.path}`, locals.length, body.most);
  const names = slugs(locals.map((l) => ("matrix" in l ? combinationWords(l["matrix"] as Record<string, unknown>) : l["item"])));
  return locals.map((values, i) => {
    const child: Step = {
      ...body.step,
      path: `${group.path}/${names[i] ?? i}`,
      needs: [],
      parent: group.path,
      ...(group.scope === undefined ? {} : { scope: group.scope }),
    };
    // A nested pipeline's own steps are not open yet: the values go into their expressions.
    return body.step.dynamic ? bindStep(fillStep(child, scope, values), values) : bindStep(child, values);
  });
}

/** The same step for each candidate. None of them fails the group, and what is accepted waits to be picked. */
function childrenOfBestOf(group: GroupStep, body: BestOf, scope: Scope): Step[] {
  return body.candidates.map((candidate, i): Step => {
    const child: Step = {
      ...body.step,
      path: `${group.path}/${i + 1}`,
      needs: [],
      agent: agentOf(body.step, candidate),
      env: { ...group.env, ...body.step.env },
      priority: group.priority,
      hold: true,
      mayFail: true,
      parent: group.path,
      ...(group.scope === undefined ? {} : { scope: group.scope }),
    };
    return body.step.dynamic ? fillStep(child, scope) : child;
  });
}

function localsOf(group: GroupStep, body: Each): Locals[] {
  const { over } = body;
  if (over.kind === "list") {
    const cel = celOf(over.items);
    const items = cel.ok ? valueOf(cel.text, () => undefined, `steps.${group.path}.foreach`) : undefined;
    if (!Array.isArray(items)) throw new Unfilled("WRONG_RESULT", `steps.${group.path}.foreach is not a list`, "Let it answer a list");
    return items.map((item: unknown, index) => ({ item, index }));
  }
  const axes = Object.fromEntries(
    Object.entries(over.axes).map(([axis, values]) => {
      if (!Array.isArray(values))
        throw new Unfilled("WRONG_RESULT", `steps.${group.path}.matrix.${axis} is not a list`, "Let it be a list");
      return [axis, values as unknown[]];
    }),
  );
  return combinations(axes, over.include, over.exclude, body.most).map((matrix, index) => ({ matrix, index }));
}

function childrenOfPipeline(
  group: GroupStep,
  body: Nested,
  scope: Scope,
  round: number,
): { children: Step[]; inputs: Record<string, unknown> } {
  const prefix = body.repeat ? `${group.path}/${round}` : group.path;
  const below = (id: string): string => `${prefix}/${id}`;
  const children = body.pipeline.steps.map((step): Step => {
    const child: Step = {
      ...step,
      path: below(step.path),
      needs: step.needs.map(below),
      // The nearer word counts: a step's own variables, then the group's.
      env: { ...group.env, ...step.env },
      priority: step.priority + group.priority,
      parent: group.path,
      scope: `${prefix}/`,
      ...(step.kind === "approve" ? { rework: step.rework.map(below) } : {}),
    };
    return body.repeat ? bindStep(child, { round }) : child;
  });
  return { children, inputs: inputsOf(group, body, scope) };
}

function inputsOf(group: GroupStep, body: Nested, scope: Scope): Record<string, unknown> {
  const declared = body.pipeline.inputs;
  // Steps written in place see what is around them, and what `with` adds.
  if (declared === undefined) return { ...scope.inputs, ...body.with };
  const inputs: Record<string, unknown> = {};
  for (const [name, input] of Object.entries(declared)) {
    const given = body.with[name];
    if (given === undefined) {
      if (input.default === undefined)
        throw new Unfilled("INPUT_MISSING", `steps.${group.path}: the input \`${shown(name, 60)}\` is not given`, "Add it to `with`");
      inputs[name] = input.default;
      continue;
    }
    const read = readInput(input, given);
    if (!read.ok)
      throw new Unfilled("INPUT_INVALID", `steps.${group.path}.with: the input \`${shown(name, 60)}\` ${read.message}`, read.hint);
    inputs[name] = read.value;
  }
  return inputs;
}

/**
 * A group's structured output. `outputs`: those of its children in order, for a list or a matrix; of a best-of step only the picked one has any. `scope`: what the children of its (last) round
 * see, for a pipeline; one without `outputs` answers null.
 */
export function groupOutput(step: GroupStep, children: { outputs: readonly unknown[]; scope: Scope }): Evaluated<{ output: unknown }> {
  const { body } = step;
  return evaluated(() => ({
    output:
      body.kind === "each"
        ? children.outputs.map((o) => o ?? null)
        : body.kind === "best-of"
          ? (children.outputs.find((o) => o !== undefined && o !== null) ?? null)
          : pipelineOutput(body.pipeline, children.scope, `steps.${step.path}`),
  }));
}

function pipelineOutput(pipeline: Pipeline, scope: Scope, where: string): unknown {
  const { outputs } = pipeline;
  if (outputs === undefined) return null;
  const lookup = lookupIn(scope);
  return Object.fromEntries(Object.entries(outputs).map(([name, text]) => [name, outputValue(text, lookup, `${where}.outputs.${name}`)]));
}

function outputValue(text: string, lookup: ReturnType<typeof lookupIn>, where: string): unknown {
  const cel = celOf(text);
  if (!cel.ok) throw new Unfilled("EXPRESSION_FAILED", `${where}: ${cel.message}`, cel.hint);
  return valueOf(cel.text, lookup, where);
}

/** What a whole run answers: its pipeline's `outputs`, over its steps; null when it declares none. */
export const pipelineOutputs = (pipeline: Pipeline, scope: Scope): Evaluated<{ output: unknown }> =>
  evaluated(() => ({ output: pipelineOutput(pipeline, scope, pipeline.name) }));

/** Whether a repeated group is done after a round whose steps are in `scope`. Always true of one without `repeat`. */
export function repeatIsDone(step: GroupStep, scope: Scope): Evaluated<{ done: boolean }> {
  return evaluated(() => {
    const repeat = step.body.kind === "pipeline" ? step.body.repeat : undefined;
    return { done: repeat === undefined || isTrue(repeat.until, lookupIn(scope), `steps.${step.path}.repeat.until`) };
  });
}
