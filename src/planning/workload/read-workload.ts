import { dirname, resolve } from "node:path";
import {
  describeValue,
  Id,
  inOrder,
  MAX_YAML_BYTES,
  named,
  readTextFile,
  readYaml,
  shapeProblems,
  type YamlSource,
} from "../../config/index.ts";
import type { ReadWorkload, WorkloadProblem, WorkloadTask } from "./contract.ts";
import { TaskShape, WorkloadShape } from "./shape.ts";
import { taskFiles } from "./task-files.ts";
import { taskStep } from "./task-step.ts";

const EXAMPLE = "Write it like examples/workload/workload.yaml: `name`, and `tasks` by id";

/** A workload from a file, its folders read, or everything that is wrong with it, with places. */
export function loadWorkload(path: string, file: string): ReadWorkload {
  const read = readTextFile(path, MAX_YAML_BYTES);
  if (!read.ok) return { ok: false, problems: [{ ...read.problem, file }] };
  const workload = readWorkload(read.text, file, dirname(resolve(path)));
  return workload.ok ? workload : { ...workload, text: read.text };
}

/** The same of a text. `base`: where its folders are. */
export function readWorkload(text: string, file: string, base: string): ReadWorkload {
  const reading = readYaml(text, file);
  if (!reading.ok) return { ok: false, problems: reading.problems };
  const { source } = reading;
  const problems: WorkloadProblem[] = [...reading.problems];
  const { value } = source;
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    const found = value === null ? "nothing" : describeValue(value);
    return { ok: false, problems: [...problems, source.problem("NOT_A_MAP", [], `Expected a workload, found ${found}`, EXAMPLE)] };
  }
  const top = WorkloadShape.safeParse(value);
  if (!top.success) return { ok: false, problems: inOrder([...problems, ...shapeProblems(source, [], top.error)]) };
  const { name, description, agents, repeat = 1, timeout } = top.data;
  const ids = source.keys(["tasks"]);
  if (ids.length === 0) problems.push(source.problem("NO_STEPS", ["tasks"], "`tasks` is empty", EXAMPLE));
  const tasks: WorkloadTask[] = [];
  for (const id of ids) {
    const read = readTask(source, id, { repeat, timeout, base });
    if (Array.isArray(read)) problems.push(...read);
    else tasks.push(read);
  }
  if (problems.length > 0) return { ok: false, problems: inOrder(problems) };
  return {
    ok: true,
    workload: {
      name,
      ...(description === undefined ? {} : { description }),
      ...(agents === undefined ? {} : { agents: [...new Set(agents)] }),
      tasks,
    },
  };
}

interface Defaults {
  repeat: number;
  timeout: unknown;
  base: string;
}

/** A list: what is wrong with it. */
function readTask(source: YamlSource, id: string, { repeat, timeout, base }: Defaults): WorkloadTask | WorkloadProblem[] {
  const at = ["tasks", id];
  if (!Id.safeParse(id).success)
    return [
      source.problem(
        "BAD_ID",
        at,
        `${named(id)} cannot be the id of a task`,
        "Use lower-case letters, digits, `-` and `_`, at most 64",
        "key",
      ),
    ];
  const shape = TaskShape.safeParse(source.valueAt(at));
  if (!shape.success) return shapeProblems(source, at, shape.error);
  const { complexity, files = {} } = shape.data;
  const problems: WorkloadProblem[] = [];
  const read = taskFiles(source, [...at, "files"], files, base);
  if (!read.ok) problems.push(...read.problems);
  const made = taskStep(source, at, id, timeout === undefined ? {} : { timeout });
  if (!made.ok) problems.push(...made.problems);
  if (!read.ok || !made.ok) return problems;
  return { id, complexity, repeat: shape.data.repeat ?? repeat, files: read.files, step: made.step };
}
