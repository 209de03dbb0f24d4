import { shown } from "../config/index.ts";
import type { BestOf, GroupBody, Pipeline, Step } from "../domain/index.ts";
import { unbound } from "./expression/cel.ts";
import { celOf } from "./expression/template.ts";
import { criticalPathLengths } from "./graph.ts";

/** A pipeline as people look at it. */
export interface StepGraph {
  name: string;
  /** In layers: a step's layer is one more than the highest it needs, from 1. */
  steps: StepNode[];
}

export interface StepNode {
  id: string;
  layer: number;
  /** `agent`, `command`, `approve`, `ask`, `pipeline`, `steps`. */
  kind: string;
  needs: string[];
  /** How its needs must end for it to run. */
  when: "succeeded" | "failed" | "always";
  /** What else decides whether it runs, how often, and what its end means; a few words each. */
  notes: string[];
  /** Steps of a nested pipeline. */
  inside?: StepGraph;
}

/** The steps of a pipeline in layers, those inside groups too. Of a pipeline without cycles. */
export function pipelineGraph(pipeline: Pipeline): StepGraph {
  const layers = layersOf(pipeline.steps);
  const order = new Map(pipeline.steps.map((step, i) => [step.path, i]));
  const steps = pipeline.steps.map((step) => nodeOf(step, layers.get(step.path) ?? 1));
  return { name: pipeline.name, steps: steps.sort((a, b) => a.layer - b.layer || (order.get(a.id) ?? 0) - (order.get(b.id) ?? 0)) };
}

function layersOf(steps: readonly Step[]): Map<string, number> {
  // The other way round: what a step waits for is what waits for it in the reversed pipeline.
  const waiting = new Map<string, string[]>(steps.map((step) => [step.path, []]));
  for (const step of steps) for (const need of step.needs) waiting.get(need)?.push(step.path);
  const reversed = steps.map((step) => ({ ...step, needs: waiting.get(step.path) ?? [] }));
  return new Map([...criticalPathLengths({ steps: reversed })].map(([id, length]) => [id, length + 1]));
}

function nodeOf(step: Step, layer: number): StepNode {
  const each = step.kind === "group" && step.body.kind === "each" ? step.body : undefined;
  const work = each ? each.step : step;
  const notes = [
    ...(step.if === undefined ? [] : [`if ${condition(step.if)}`]),
    ...(each ? [eachNote(each)] : []),
    ...notesOf(work),
    ...(step.mayFail ? ["may fail"] : []),
  ];
  const nested = work.kind === "group" && work.body.kind === "pipeline" ? work.body : undefined;
  // A list of lists has no pipeline inside; the language makes none.
  return {
    id: step.path,
    layer,
    kind: nested ? (nested.pipeline.inputs === undefined ? "steps" : "pipeline") : work.kind === "group" ? "agent" : work.kind,
    needs: [...step.needs],
    when: step.when ?? "succeeded",
    notes,
    ...(nested ? { inside: pipelineGraph(nested.pipeline) } : {}),
  };
}

function notesOf(step: Step): string[] {
  switch (step.kind) {
    case "agent": {
      const { id, tier, capability } = step.agent;
      return [id, tier, ...capability].filter((word) => word !== undefined).map((word) => shown(word, 40));
    }
    case "command":
      return [];
    case "approve":
      return [`${step.count} of ${step.who.length === 0 ? "anybody" : step.who.map((who) => shown(who, 40)).join(", ")}`];
    case "ask":
      return step.choices.length === 0 ? [] : [step.choices.map((choice) => shown(choice, 40)).join(" | ")];
    case "group":
      if (step.body.kind === "best-of") return bestOfNotes(step.body);
      return step.body.kind === "pipeline" && step.body.repeat
        ? [`at most ${step.body.repeat.most} times, until ${condition(step.body.repeat.until)}`]
        : [];
    default:
      step satisfies never;
      return [];
  }
}

function bestOfNotes({ step, candidates, judging }: BestOf): string[] {
  const who = candidates.flatMap(({ id, tier }) => id ?? tier ?? []);
  const by = judging ? `judged${judging.judges.length === 0 ? "" : ` by ${judging.judges.join(", ")}`}` : "the smallest change";
  return [...(who.length === 0 ? notesOf(step) : []), `best of ${who.length === 0 ? candidates.length : who.join(", ")} (${by})`];
}

function eachNote(body: Extract<GroupBody, { kind: "each" }>): string {
  const limits = `at most ${body.most}${body.parallel === undefined ? "" : `, ${body.parallel} at a time`}${body.failFast ? "" : ", all to their end"}`;
  if (body.over.kind === "list") return `for each of ${condition(body.over.items)} (${limits})`;
  const axes = Object.keys(body.over.axes).map((axis) => shown(axis, 40));
  return `matrix of ${axes.length === 0 ? "listed combinations" : axes.join(" x ")} (${limits})`;
}

function condition(text: string): string {
  const cel = celOf(text);
  return shown(unbound(cel.ok ? cel.text : text).replace(/\s+/g, " "), 120);
}
