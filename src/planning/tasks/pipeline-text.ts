import { parsePipeline } from "../../pipeline/index.ts";
import { literalText, yamlText } from "../pipeline-yaml.ts";
import type { Task, TaskDefaults, TaskPipeline } from "./contract.ts";
import { taskIds } from "./task-ids.ts";

/** Matches every file: a step that nothing else checks must at least leave a project behind; that it changed something is checked anyway. */
const ANYTHING = "**";

/**
 * One agent step for each task, side by side unless one needs another. The text is loaded like any file, so what is run is what is
 * printed. `${{ }}` in a task is text.
 */
export function pipelineOfTasks(tasks: readonly Task[], defaults: TaskDefaults): TaskPipeline {
  const ids = taskIds(tasks);
  const [only] = ids;
  const text = yamlText({
    name: ids.length === 1 && only !== undefined ? only : "do",
    ...(defaults.budget === undefined ? {} : { budget: dollars(defaults.budget) }),
    ...(defaults.setup.length === 0 ? {} : { defaults: { setup: defaults.setup.map(literalText) } }),
    // A plain object would put ids that are numbers first.
    steps: new Map(tasks.map((task, i) => [ids[i] ?? "", stepOf(task, defaults)])),
  });
  return { text, parsed: parsePipeline(text, "the pipeline made of the tasks") };
}

function stepOf(task: Task, defaults: TaskDefaults): Record<string, unknown> {
  const gates = task.gates ?? defaults.gates;
  const outputs = task.outputs ?? (gates.length === 0 ? [ANYTHING] : []);
  const list = (texts: readonly string[]): string[] => texts.map(literalText);
  return {
    ...(task.needs === undefined || task.needs.length === 0 ? {} : { needs: [...task.needs] }),
    prompt: literalText(plainProse(task.task)),
    ...(outputs.length === 0 ? {} : { outputs: list(outputs) }),
    ...(gates.length === 0 ? {} : { gates: list(gates) }),
    ...(task.setup === undefined ? {} : { setup: list(task.setup) }),
    ...(task.touches === undefined ? {} : { touches: list(task.touches) }),
    ...(task.budget === undefined ? {} : { budget: dollars(task.budget) }),
  };
}

const dollars = (microUsd: number): number => microUsd / 1_000_000;

/** Without the control characters that a terminal may paste along: no YAML file may hold them. */
const plainProse = (text: string): string =>
  text
    .replaceAll("\r\n", "\n")
    .replaceAll(/[\p{Cc}--[\t\n]]/gv, " ")
    .trim();
