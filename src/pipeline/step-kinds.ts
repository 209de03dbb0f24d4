import { named, type Path, type YamlSource } from "../config/index.ts";
import type { PipelineProblem } from "./problem.ts";
import { isMap } from "./reading.ts";
import { APPROVE_WORDS, COMMAND_WORDS, LATER_STEP_KINDS, PROMPT_WORDS } from "./vocabulary.ts";

/** The key that says what a step is. */
const KINDS = ["prompt", "command", "approve", "ask", "pipeline", "steps"] as const;
export type KindKey = (typeof KINDS)[number];

/** `both`: a prompt and a command. `several`: any other two. */
export type StepKind = KindKey | "later" | "both" | "several" | "none";

export function kindOf(keys: readonly string[]): StepKind {
  const found = KINDS.filter((kind) => keys.includes(kind));
  if (found.length > 1) return found.join() === "prompt,command" ? "both" : "several";
  if (found[0]) return found[0];
  if (keys.some((k) => LATER_STEP_KINDS.includes(k))) return "later";
  // `run: npm test` is answered as a misspelt `command`, not as a step without a kind.
  if (keys.some((k) => COMMAND_WORDS.includes(k))) return "command";
  if (keys.some((k) => APPROVE_WORDS.includes(k))) return "approve";
  return keys.some((k) => PROMPT_WORDS.includes(k)) ? "prompt" : "none";
}

/** A step that is two things, or nothing. */
export function kindProblems(source: YamlSource, path: Path, kind: StepKind): PipelineProblem[] {
  const id = named(String(path.at(-1)));
  if (kind === "both") {
    const hint = "Keep one; a check of the agent's work goes under `gates`";
    return [source.problem("STEP_TWO_KINDS", [...path, "command"], `${id} has both a prompt and a command`, hint, "key")];
  }
  if (kind === "several") {
    const found = source.keys(path).filter((key) => (KINDS as readonly string[]).includes(key));
    const message = `${id} is several things at once: ${found.join(", ")}`;
    return [
      source.problem("STEP_TWO_KINDS", [...path, found[1] ?? ""], message, "Keep one, and write the others as steps of their own", "key"),
    ];
  }
  if (kind !== "none") return [];
  const message = `${id} has nothing to do: no prompt, no command, and nobody is asked`;
  const hint = "Add `prompt: ...` for an agent, `command: ...` for the shell, `approve: ...` or `ask: ...` for a person";
  return [source.problem("STEP_NO_KIND", path, message, hint, "key")];
}

/** The completion contract: something other than the step's own word tells when it is done. */
export function contractProblems(source: YamlSource, path: Path, kind: StepKind): PipelineProblem[] {
  if (kind !== "prompt" && kind !== "command" && kind !== "both" && kind !== "none") return [];
  const { outputs, gates, readonly } = source.valueAt(path) as Record<string, unknown>;
  // A value of a wrong type is a problem of its own, and shows that a contract was meant.
  const isDeclared = (value: unknown): boolean => {
    if (value === undefined || value === null) return false;
    if (Array.isArray(value)) return value.length > 0;
    return isMap(value) ? Object.entries(value).some(([, part]) => !Array.isArray(part) || part.length > 0) : true;
  };
  if (isDeclared(outputs) || isDeclared(gates) || (readonly !== undefined && readonly !== false)) return [];
  const message = `Nothing tells when ${named(String(path.at(-1)))} is done: it declares no outputs, no gates, and is not readonly`;
  const hint = "Add `outputs: [path]`, `gates: [command]`, or `readonly: true` if it changes no file";
  return [source.problem("STEP_NO_CONTRACT", path, message, hint, "key")];
}
