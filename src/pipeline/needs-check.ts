import { named, nearest, shown, type Path, type YamlSource } from "../config/index.ts";
import { findCycles } from "./graph.ts";
import type { PipelineProblem } from "./problem.ts";

/** Looking for the nearest step compares with every other: enough for a person, too slow for thousands. */
const MOST_SUGGESTIONS = 100;
const MOST_SHOWN_OF_CYCLE = 10;
/** `finally` and `on-failure` wait for every other step; thousands of them would be millions of needs. */
const MOST_IMPLIED = 200_000;

/** What each step waits for, with what `on-failure` and `finally` imply. */
export interface StepOrder {
  needs: ReadonlyMap<string, readonly string[]>;
  /** Whether a step is over whenever another may begin. */
  isBefore: (id: string, other: string) => boolean;
}

/** The order of the steps at `at`, and needs that lead nowhere, to the step itself, or round in a circle. Reads the source, so other problems do not hide these. */
export function orderOf(source: YamlSource, at: Path, ids: readonly string[]): { problems: PipelineProblem[]; order: StepOrder } {
  const known = new Set(ids);
  const written = new Map(ids.map((id) => [id, needsOf(source, at, id)]));
  const problems = wrongNeeds(source, written, known);
  const explicit = new Map(
    [...written].map(([id, list]) => [id, [...new Set(list.map((n) => n.need))].filter((n) => known.has(n) && n !== id)]),
  );
  const implied = impliedNeeds(source, at, ids, explicit);
  problems.push(...implied.problems);
  for (const cycle of findCycles(implied.needs)) {
    const [first = "", second = ""] = cycle;
    const path = written.get(first)?.find((n) => n.need === second)?.path ?? [...at, first];
    problems.push(source.problem("PIPELINE_CYCLE", path, cycleText(cycle), "Remove one of these needs"));
  }
  return { problems, order: { needs: implied.needs, isBefore: closure(implied.needs) } };
}

type Written = ReadonlyMap<string, readonly { need: string; path: Path }[]>;

function wrongNeeds(source: YamlSource, written: Written, ids: ReadonlySet<string>): PipelineProblem[] {
  const problems: PipelineProblem[] = [];
  let suggestions = 0;
  for (const [id, list] of written) {
    for (const { need, path } of list) {
      if (need === id) problems.push(source.problem("SELF_NEED", path, `${named(id)} needs itself`, "Remove it from `needs`"));
      else if (!ids.has(need)) {
        const near = suggestions++ < MOST_SUGGESTIONS ? nearest(need, ids) : undefined;
        const hint = near ? `Did you mean ${named(near)}?` : "Name a step of this file";
        problems.push(source.problem("UNKNOWN_NEED", path, `${named(id)} needs ${named(need)}, which is no step`, hint));
      }
    }
  }
  return problems;
}

/**
 * `on-failure` without `needs` waits for every normal step, `finally` for every step that is not `finally` too; but never for one that waits for
 * it.
 */
function impliedNeeds(
  source: YamlSource,
  at: Path,
  ids: readonly string[],
  explicit: ReadonlyMap<string, readonly string[]>,
): { problems: PipelineProblem[]; needs: Map<string, readonly string[]> } {
  const flag = (id: string, key: string): boolean => source.valueAt([...at, id, key]) === true;
  const onFailure = new Set(ids.filter((id) => flag(id, "on-failure")));
  const last = new Set(ids.filter((id) => flag(id, "finally")));
  const isImplied = (id: string): boolean => !source.has([...at, id, "needs"]);
  const problems: PipelineProblem[] = [];
  const needs = new Map(explicit);
  let left = MOST_IMPLIED;
  const imply = (id: string, others: readonly string[], key: string): void => {
    const waiting = dependentsOf(id, needs);
    const all = others.filter((other) => other !== id && !waiting.has(other));
    left -= all.length;
    if (left < 0) {
      problems.push(source.problem("TOO_MANY_STEPS", [...at, id, key], `Too many steps wait for all others`, "Give them `needs`", "key"));
    } else if (all.length === 0) {
      problems.push(
        source.problem("BAD_VALUE", [...at, id, key], `${named(id)} waits for no other step`, "Add the steps it is about", "key"),
      );
    } else needs.set(id, all);
  };
  const normal = ids.filter((id) => !onFailure.has(id) && !last.has(id));
  for (const id of onFailure) if (!last.has(id) && isImplied(id)) imply(id, normal, "on-failure");
  const notLast = ids.filter((id) => !last.has(id));
  for (const id of last) if (isImplied(id)) imply(id, notLast, "finally");
  return { problems: problems.slice(0, MOST_SUGGESTIONS), needs };
}

function dependentsOf(id: string, needs: ReadonlyMap<string, readonly string[]>): Set<string> {
  const found = new Set<string>();
  // Most of them are needed by nobody.
  if (![...needs.values()].some((list) => list.includes(id))) return found;
  const waiting = new Map<string, string[]>();
  for (const [step, list] of needs) for (const need of list) waiting.set(need, [...(waiting.get(need) ?? []), step]);
  const queue = [id];
  for (const next of queue) {
    for (const step of waiting.get(next) ?? []) {
      if (found.has(step)) continue;
      found.add(step);
      queue.push(step);
    }
  }
  return found;
}

function closure(needs: ReadonlyMap<string, readonly string[]>): (id: string, other: string) => boolean {
  const before = new Map<string, Set<string>>();
  return (id, other) => {
    if (needs.get(other)?.includes(id)) return true;
    let all = before.get(other);
    if (!all) {
      all = new Set(needs.get(other) ?? []);
      for (const step of all) for (const need of needs.get(step) ?? []) all.add(need);
      // One at a time: the next question is mostly about the same step.
      before.clear();
      before.set(other, all);
    }
    return all.has(id);
  };
}

/** The ids a step needs, each with its place; whatever is not text is somebody else's problem. */
function needsOf(source: YamlSource, at: Path, id: string): { need: string; path: Path }[] {
  const path = [...at, id, "needs"];
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
