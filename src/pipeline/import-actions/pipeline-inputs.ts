import type { ImportNote } from "./contract.ts";
import type { WorkflowInput } from "./workflow.ts";

/** An input of the pipeline, as its YAML says it. */
export interface PipelineInput {
  type: "string" | "number" | "boolean";
  description?: string;
  default?: string | number | boolean;
  choices?: string[];
}

/** What the pipeline must be told when it starts: the workflow's own inputs, and what GitHub would have known. */
export class PipelineInputs {
  readonly inputs = new Map<string, PipelineInput>();
  readonly secrets = new Set<string>();
  readonly notes: ImportNote[] = [];
  /** What is being translated, for the notes. */
  at = { name: "", line: 1 };
  readonly #workflowInputs = new Map<string, string>();

  constructor(declared: readonly WorkflowInput[]) {
    for (const input of declared) this.#declare(input);
  }

  /** The pipeline's name for an input of the workflow. One that the workflow does not declare is empty at GitHub too. */
  ofWorkflow(name: string): { name: string; type: PipelineInput["type"] } | undefined {
    const id = this.#workflowInputs.get(name.toLowerCase());
    const input = id === undefined ? undefined : this.inputs.get(id);
    return id === undefined || !input ? undefined : { name: id, type: input.type };
  }

  /** An input that stands for a value of GitHub's: `github.ref_name` -> `github_ref_name`. Texts all. */
  ofGithub(keys: readonly string[]): string {
    const path = ["github", ...keys].join(".");
    return this.#add(identifier(path), path, githubDefault(keys));
  }

  ofVariable(key: string): string {
    return this.#add(identifier(`vars_${key}`), `vars.${key}`, { default: "" });
  }

  #add(name: string, path: string, fallback: { default?: string }): string {
    if (this.inputs.has(name)) return name;
    this.inputs.set(name, { type: "string", description: `${path} at GitHub`, ...fallback });
    const otherwise = fallback.default === undefined ? "it must be given" : `"${fallback.default}" unless given`;
    this.notes.push({ ...this.at, effect: "changed", message: `${path} is the input ${name}: ${otherwise}` });
    return name;
  }

  #declare(input: WorkflowInput): void {
    const name = identifier(input.name);
    const at = { name: `inputs.${input.name}`, line: input.line };
    if (name !== input.name) this.notes.push({ ...at, effect: "changed", message: `The input is called ${name}` });
    if (this.inputs.has(name)) return;
    this.#workflowInputs.set(input.name.toLowerCase(), name);
    const type = input.type === "boolean" || input.type === "number" ? input.type : "string";
    const empty = { boolean: false, number: 0, string: "" }[type];
    const given = input.default;
    const spelt =
      typeof given === type ? given : type === "string" && given !== undefined && typeof given !== "object" ? String(given) : undefined;
    // A choice without a default begins at its first option, as the form at GitHub does.
    const fallback = spelt ?? (input.type === "choice" ? input.options[0] : input.isRequired ? undefined : empty);
    this.inputs.set(name, {
      type,
      ...(input.description === undefined ? {} : { description: input.description }),
      ...(fallback === undefined ? {} : { default: fallback }),
      ...(input.type === "choice" && input.options.length > 0
        ? { choices: [...new Set([...input.options, ...(typeof fallback === "string" ? [fallback] : [])])] }
        : {}),
    });
  }
}

/** What a run that a person starts by hand would see at GitHub; the rest must be given. */
function githubDefault(keys: readonly string[]): { default?: string } {
  const [first = ""] = keys;
  const known: Readonly<Record<string, string>> = {
    event_name: "workflow_dispatch",
    event: "",
    head_ref: "",
    base_ref: "",
    run_attempt: "1",
    ref_protected: "false",
    server_url: "https://github.com",
    api_url: "https://api.github.com",
    graphql_url: "https://api.github.com/graphql",
  };
  const value = known[first];
  return value === undefined ? {} : { default: value };
}

/** A name that expressions can write after a dot. */
export function identifier(text: string): string {
  const word = text
    .replace(/[^A-Za-z0-9_]+/g, "_")
    .slice(0, 64)
    .toLowerCase();
  return /^[A-Za-z_]/.test(word) && !["in", "true", "false", "null"].includes(word) ? word : `_${word}`.slice(0, 64);
}
