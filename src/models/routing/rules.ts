import picomatch from "picomatch";
import type { AgentStep } from "../../domain/index.ts";

/** A rule of the project, as `rules` in stepfall.yaml has it. All that `when` names must hold; of each list one word is enough. */
export interface RoutingRule {
  when: {
    /** Kinds of work, see STEP_TYPES. */
    type?: readonly string[] | undefined;
    labels?: readonly string[] | undefined;
    /** Globs; one path that the step declares (`touches`, `outputs`) is enough. */
    paths?: readonly string[] | undefined;
    /** Globs over the step's path in the pipeline. */
    step?: readonly string[] | undefined;
  };
  use: { agent?: string | undefined; tier?: string | undefined; capability?: readonly string[] | undefined };
}

export interface MatchedRule {
  /** Its place in the list, from 1. */
  n: number;
  use: RoutingRule["use"];
  /** What of it held, for people. */
  because: string;
}

/** The first rule that holds. */
export function matchRule(rules: readonly RoutingRule[], step: AgentStep, type: string): MatchedRule | undefined {
  for (const [i, { when, use }] of rules.entries()) {
    const held = [
      when.type && word("type", when.type.includes(type) ? type : undefined),
      when.labels &&
        word(
          "label",
          when.labels.find((label) => step.labels?.includes(label)),
        ),
      when.paths && word("path", pathIn(when.paths, step)),
      when.step && word("step", isAny(when.step)(step.path) ? step.path : undefined),
    ].filter((part) => part !== undefined);
    if (held.length > 0 && held.every((part) => part !== "")) return { n: i + 1, use, because: held.join(", ") };
  }
  return undefined;
}

const word = (name: string, found: string | undefined): string => (found === undefined ? "" : `${name} ${found}`);

const matchers = new WeakMap<readonly string[], (path: string) => boolean>();
/** Compiled once: a decision takes microseconds. */
function isAny(globs: readonly string[]): (path: string) => boolean {
  let matcher = matchers.get(globs);
  if (!matcher) matchers.set(globs, (matcher = picomatch([...globs], { dot: true })));
  return matcher;
}

/** A declared path, or glob, that the rule's globs match or that holds what they match. */
function pathIn(globs: readonly string[], step: AgentStep): string | undefined {
  const declared = [...step.touches, ...step.outputs.files];
  return declared.find((path) => isAny(globs)(path) || (path.includes("*") && globs.some((glob) => isAny([path])(glob))));
}
