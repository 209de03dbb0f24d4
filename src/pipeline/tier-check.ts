import { resolveTier, unknownTier, type Path, type YamlSource } from "../config/index.ts";
import type { PipelineProblem } from "./problem.ts";
import { isMap } from "./reading.ts";

/** Tiers that a file names and its project does not have, where they stand. Files that are nested are checked when they are read. */
export function tierProblems(source: YamlSource, tiers: readonly string[]): PipelineProblem[] {
  const problems: PipelineProblem[] = [];
  const check = (path: Path, name: unknown): void => {
    // What is no name at all has a problem of its own.
    if (typeof name !== "string" || resolveTier(name, tiers) !== undefined) return;
    const { message, hint } = unknownTier(name, tiers);
    problems.push(source.problem("UNKNOWN_TIER", path, message, hint));
  };
  const checkWork = (work: unknown, path: Path): void => {
    if (!isMap(work)) return;
    const { agent, escalate, "best-of": bestOf } = work;
    const tiersOfIt = isMap(bestOf) ? bestOf["tiers"] : undefined;
    if (Array.isArray(tiersOfIt)) for (const [i, tier] of tiersOfIt.entries()) check([...path, "best-of", "tiers", String(i)], tier);
    if (isMap(agent)) check([...path, "agent", "tier"], agent["tier"]);
    if (!isMap(escalate)) return;
    for (const key of ["entry", "ceiling"]) check([...path, "escalate", key], escalate[key]);
    const { attempts } = escalate;
    if (isMap(attempts)) for (const tier of Object.keys(attempts)) check([...path, "escalate", "attempts", tier], tier);
  };
  const checkSteps = (steps: unknown, path: Path): void => {
    if (!isMap(steps)) return;
    for (const [id, step] of Object.entries(steps)) {
      checkWork(step, [...path, id]);
      if (isMap(step)) checkSteps(step["steps"], [...path, id, "steps"]);
    }
  };
  const top = source.value;
  if (!isMap(top)) return problems;
  checkWork(top["defaults"], ["defaults"]);
  checkSteps(top["steps"], ["steps"]);
  return problems;
}
