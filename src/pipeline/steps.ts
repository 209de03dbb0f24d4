import { describeValue, type Path, type YamlSource } from "../config/index.ts";
import type { Step } from "../domain/index.ts";
import { orderOf } from "./needs-check.ts";
import type { PipelineProblem } from "./problem.ts";
import { MOST_STEPS, type Reading } from "./reading.ts";
import { checkStep } from "./step-check.ts";
import { pipelineWords } from "./vocabulary.ts";

export const EXAMPLE = "Begin like this: `steps: { fix: { prompt: ..., gates: [npm test] } }`";

/** The steps of the map at `at`, or everything that is wrong with them. */
export function readSteps(reading: Reading, at: Path): { problems: PipelineProblem[]; steps?: Step[] } {
  const { source } = reading;
  const found = idsAt(source, at);
  if (!found.ok) return { problems: found.problems };
  const { ids } = found;
  if (!reading.nested.count(ids.length)) {
    const message = `The pipeline has ${ids.length} steps${reading.depth > 0 ? " here, with those around it too many" : ""}; at most ${MOST_STEPS} are allowed`;
    return { problems: [source.problem("TOO_MANY_STEPS", at, message, "Split it into several pipelines", "key")] };
  }
  const { problems, order } = orderOf(source, at, ids);
  const steps: Step[] = [];
  for (const id of ids) {
    const checked = checkStep(reading, [...at, id], order, ids);
    problems.push(...checked.problems);
    if (checked.step) steps.push(checked.step);
  }
  return problems.length > 0 ? { problems } : { problems, steps };
}

function idsAt(source: YamlSource, at: Path): { ok: true; ids: string[] } | { ok: false; problems: PipelineProblem[] } {
  const no = (problem: PipelineProblem): { ok: false; problems: PipelineProblem[] } => ({ ok: false, problems: [problem] });
  const steps = source.valueAt(at);
  const add = "Add a step: an id, and under it `prompt:` or `command:`";
  if (steps === undefined) {
    const isMisspelt = source.keys([]).some((key) => pipelineWords.synonyms?.[key] === "steps");
    return isMisspelt ? { ok: false, problems: [] } : no(source.problem("NO_STEPS", [], "The pipeline has no `steps`", EXAMPLE));
  }
  if (steps === null) return no(source.problem("NO_STEPS", at, "`steps` is empty", add));
  if (typeof steps !== "object" || Array.isArray(steps)) {
    const hint = "Steps are a map by id: `fix:` on a line of its own, and its keys indented below";
    return no(source.problem("WRONG_TYPE", at, `steps: expected a map of steps, found ${describeValue(steps)}`, hint));
  }
  const ids = source.keys(at);
  return ids.length === 0 ? no(source.problem("NO_STEPS", at, "`steps` is empty", add)) : { ok: true, ids };
}
