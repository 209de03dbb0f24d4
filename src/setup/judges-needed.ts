import { bestOfSteps, stepsInside, type Step, type WorkStep } from "../domain/index.ts";
import { chooseJudges, type ChosenJudges, type EngineDeps, type JudgeWish } from "../engine/index.ts";

/** Agents whose models judge a step's work. */
export interface JudgesNeeded {
  /** Those that the pipeline names by their ids: the run cannot do without them. */
  named: readonly string[];
  /** Those that are chosen because nobody is named, or a tier is: another may take their place. */
  chosen: readonly string[];
  problems: readonly { problem: string; hint: string }[];
}

/** Those of best-of steps. `candidatesOf`: agents that may do a step. */
export function pickersNeeded(
  steps: readonly Step[],
  candidatesOf: (step: WorkStep) => readonly string[],
  registry: EngineDeps["registry"],
  tiers: readonly string[],
): JudgesNeeded {
  const all = new Needed();
  for (const { path, body } of bestOfSteps(steps)) {
    if (!body.judging) continue;
    // Each may be done by several: those that come first are those that most likely do it.
    const own = stepsInside(body).flatMap((step) => (step.kind === "agent" ? candidatesOf(step).slice(0, 1) : []));
    all.add(`step ${path}`, body.judging, chooseJudges(registry, tiers, body.judging, new Set(own)));
  }
  return all.found;
}

/** `candidates`: agents that may do the step; whose judges are found differs, because nobody judges their own work unless they are named for it. */
export function judgesNeeded(
  step: WorkStep,
  candidates: readonly string[],
  registry: EngineDeps["registry"],
  tiers: readonly string[],
): JudgesNeeded {
  const all = new Needed();
  const wishes = step.gates.flatMap((gate): { of: string; wish: JudgeWish }[] =>
    gate.kind === "judge" ? [{ of: `gate ${gate.name}`, wish: gate }] : [],
  );
  for (const { of, wish } of wishes) {
    for (const own of candidates) all.add(`step ${step.path}, ${of}`, wish, chooseJudges(registry, tiers, wish, new Set([own])));
  }
  return all.found;
}

class Needed {
  readonly #named = new Set<string>();
  readonly #chosen = new Set<string>();
  readonly #problems = new Map<string, string>();

  add(of: string, wish: JudgeWish, found: ChosenJudges): void {
    if (!found.ok) return void this.#problems.set(`${of}: ${found.problem}`, found.hint);
    for (const { id } of [...found.judges, ...(found.stronger ? [found.stronger] : [])])
      (wish.judges.includes(id) || wish.stronger === id ? this.#named : this.#chosen).add(id);
  }

  get found(): JudgesNeeded {
    const problems = [...this.#problems].map(([problem, hint]) => ({ problem, hint }));
    return { named: [...this.#named], chosen: [...this.#chosen], problems };
  }
}
