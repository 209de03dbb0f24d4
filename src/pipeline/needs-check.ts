import { named, nearest, shown, type YamlSource } from "../config/index.ts";
import { findCycles } from "./graph.ts";
import type { PipelineProblem } from "./problem.ts";

/** Looking for the nearest step compares with every other: enough for a person, too slow for thousands. */
const MOST_SUGGESTIONS = 100;
const MOST_SHOWN_OF_CYCLE = 10;

/** Needs that lead nowhere, to the step itself, or round in a circle. Reads the source, so other problems do not hide these. */
export function needsProblems(source: YamlSource, stepIds: readonly string[]): PipelineProblem[] {
  const problems: PipelineProblem[] = [];
  const ids = new Set(stepIds);
  const needs = new Map(stepIds.map((id) => [id, needsOf(source, id)]));
  let suggestions = 0;
  for (const [id, list] of needs) {
    for (const { need, path } of list) {
      if (need === id) problems.push(source.problem("SELF_NEED", path, `${named(id)} needs itself`, "Remove it from `needs`"));
      else if (!ids.has(need)) {
        const near = suggestions++ < MOST_SUGGESTIONS ? nearest(need, ids) : undefined;
        const hint = near ? `Did you mean ${named(near)}?` : "Name a step of this file";
        problems.push(source.problem("UNKNOWN_NEED", path, `${named(id)} needs ${named(need)}, which is no step`, hint));
      }
    }
  }
  for (const cycle of findCycles(new Map([...needs].map(([id, list]) => [id, list.map((n) => n.need)])))) {
    const [first = "", second = ""] = cycle;
    const path = needs.get(first)?.find((n) => n.need === second)?.path ?? ["steps", first];
    problems.push(source.problem("PIPELINE_CYCLE", path, cycleText(cycle), "Remove one of these needs"));
  }
  return problems;
}

/** The ids a step needs, each with its place; whatever is not text is somebody else's problem. */
function needsOf(source: YamlSource, id: string): { need: string; path: string[] }[] {
  const path = ["steps", id, "needs"];
  const value = source.valueAt(path);
  if (typeof value === "string") return [{ need: value, path }];
  if (!Array.isArray(value)) return [];
  return value.flatMap((need: unknown, i) => (typeof need === "string" ? [{ need, path: [...path, String(i)] }] : []));
}

function cycleText(cycle: readonly string[]): string {
  const parts =
    cycle.length <= MOST_SHOWN_OF_CYCLE
      ? cycle
      : [...cycle.slice(0, MOST_SHOWN_OF_CYCLE - 2), `... ${cycle.length - MOST_SHOWN_OF_CYCLE} more ...`, ...cycle.slice(-2)];
  return parts.map((id) => shown(id, 64)).join(" -> ");
}
