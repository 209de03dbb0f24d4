import {
  describeValue,
  inOrder,
  MAX_YAML_BYTES,
  named,
  nearest,
  readTextFile,
  readYaml,
  shapeProblems,
  type Problem,
  type YamlSource,
} from "../../config/index.ts";
import type { PipelineProblemCode } from "../../pipeline/index.ts";
import { BatchItem } from "./batch-shape.ts";
import type { Task } from "./contract.ts";
import { taskIds } from "./task-ids.ts";

export type BatchProblem = Problem<PipelineProblemCode>;
export type ReadBatch =
  | { ok: true; tasks: Task[] }
  | { ok: false; problems: BatchProblem[]; /** Absent: the file could not be read. */ text?: string };

const EXAMPLE = 'Write a list: ["Fix the failing test", { "task": "Describe it", "outputs": ["docs/cart.md"] }]';
/** Looking for the nearest id compares with every other. */
const MOST_SUGGESTIONS = 100;

/**
 * Tasks from a file, JSON or YAML: a list of sentences and of maps with a sentence under `task`. Everything wrong with it is answered at
 * once, with places. Every task has an id then.
 */
export function loadBatch(path: string, file: string): ReadBatch {
  const read = readTextFile(path, MAX_YAML_BYTES);
  if (!read.ok) return { ok: false, problems: [{ ...read.problem, file }] };
  const batch = readBatch(read.text, file);
  return batch.ok ? batch : { ...batch, text: read.text };
}

/** The same of a text that `file` names in problems. */
export function readBatch(text: string, file: string): ReadBatch {
  // JSON may be indented with tabs, YAML may not; a space is as wide.
  const isJson = /^\s*[[{]/.test(text);
  const reading = readYaml(isJson ? text.replaceAll("\t", " ") : text, file);
  if (!reading.ok) return { ok: false, problems: reading.problems };
  const { source } = reading;
  const problems: BatchProblem[] = [...reading.problems];
  const { value } = source;
  if (!Array.isArray(value)) {
    const found = value === null ? "nothing" : describeValue(value);
    return {
      ok: false,
      problems: inOrder([...problems, source.problem("WRONG_TYPE", [], `Expected a list of tasks, found ${found}`, EXAMPLE)]),
    };
  }
  if (value.length === 0) problems.push(source.problem("NO_STEPS", [], "The list of tasks is empty", EXAMPLE));
  const tasks: Task[] = [];
  for (const [i, item] of value.entries()) {
    const parsed = BatchItem.safeParse(item);
    if (parsed.success) tasks.push(parsed.data);
    else problems.push(...shapeProblems(source, [i], parsed.error));
  }
  // Needs are about all tasks: with one of them unreadable, others would seem to be missing.
  if (problems.length === 0) problems.push(...orderProblems(source, tasks), ...contractProblems(source, tasks));
  if (problems.length > 0) return { ok: false, problems: inOrder(problems) };
  // Needs name them: whatever else is to be done takes other ids.
  const ids = taskIds(tasks);
  return { ok: true, tasks: tasks.map((task, i) => ({ ...task, id: ids[i] })) };
}

function contractProblems(source: YamlSource, tasks: readonly Task[]): BatchProblem[] {
  return tasks.flatMap((task, i) => {
    if (task.gates?.length !== 0 || (task.outputs?.length ?? 0) > 0) return [];
    const hint = "Add `outputs`, or a command under `gates`";
    return [source.problem("STEP_NO_CONTRACT", [i, "gates"], "Nothing tells when the task is done: its `gates` are empty", hint, "key")];
  });
}

function orderProblems(source: YamlSource, tasks: readonly Task[]): BatchProblem[] {
  const problems: BatchProblem[] = [];
  const ids = taskIds(tasks);
  const first = new Map<string, number>();
  for (const [i, id] of ids.entries()) {
    const other = first.get(id);
    if (other === undefined) first.set(id, i);
    else {
      const message = `Two tasks are called ${named(id)}, on line ${source.place([other]).line} and line ${source.place([i]).line}`;
      problems.push(source.problem("BAD_ID", [i, "id"], message, "Give each an id of its own"));
    }
  }
  let suggestions = 0;
  for (const [i, task] of tasks.entries()) {
    const isList = Array.isArray(source.valueAt([i, "needs"]));
    for (const [n, need] of (task.needs ?? []).entries()) {
      const path = isList ? [i, "needs", n] : [i, "needs"];
      if (need === ids[i]) problems.push(source.problem("SELF_NEED", path, `${named(need)} needs itself`, "Remove it from `needs`"));
      else if (!first.has(need)) {
        const near = suggestions++ < MOST_SUGGESTIONS ? nearest(need, ids) : undefined;
        const hint = near === undefined ? "Give that task an `id`" : `Did you mean ${named(near)}?`;
        problems.push(source.problem("UNKNOWN_NEED", path, `There is no task ${named(need)}`, hint));
      }
    }
  }
  if (problems.length > 0) return problems;
  const cycle = cycleIn(ids, tasks);
  if (cycle === undefined) return [];
  const at = first.get(cycle[0] ?? "") ?? 0;
  return [source.problem("PIPELINE_CYCLE", [at, "needs"], cycle.map((id) => named(id)).join(" -> "), "Remove one of these needs")];
}

/** `[a, b, a]` when a needs b and b needs a. Takes away what waits for nothing; whoever is left waits for somebody who is left. */
function cycleIn(ids: readonly string[], tasks: readonly Task[]): string[] | undefined {
  const left = new Map(ids.map((id, i) => [id, tasks[i]?.needs ?? []]));
  for (let size = -1; size !== left.size;) {
    size = left.size;
    for (const [id, needs] of left) if (!needs.some((need) => left.has(need))) left.delete(id);
  }
  const [start] = left.keys();
  if (start === undefined) return undefined;
  const way: string[] = [];
  for (let at = start; !way.includes(at); at = left.get(at)?.find((need) => left.has(need)) ?? start) way.push(at);
  const last = left.get(way.at(-1) ?? start)?.find((need) => left.has(need)) ?? start;
  return [...way.slice(way.indexOf(last)), last];
}
