import type { Gate, Pipeline, Step } from "../domain/index.ts";
import type { GateFields, PipelineFields, StepFields } from "./shape.ts";

const MINUTE_MS = 60_000;
const DEFAULT_TIMEOUT_MS = 30 * MINUTE_MS;
const DEFAULT_GATE_TIMEOUT_MS = 10 * MINUTE_MS;
/** Another attempt of an agent is told what was wrong; another try of a command is the same command again. See docs/adr/0006. */
const DEFAULT_ATTEMPTS = { agent: 3, command: 1 };
const LONGEST_GATE_NAME = 60;

export type CheckedStep = { path: string; fields: StepFields; env: Record<string, string> } & (
  | { kind: "agent"; prompt: string }
  | { kind: "command"; command: string }
);

/** A step with every default filled in: the step's own word, then the file's, then ours. */
export function buildStep(step: CheckedStep, file: PipelineFields): Step {
  const { fields } = step;
  const defaults = file.defaults ?? {};
  const retry = { ...defaults.retry, ...definedOf(fields.retry ?? {}) };
  const protectedGlobs = fields.protected ?? file.protected;
  const { json } = fields.outputs ?? {};
  const common = {
    path: step.path,
    needs: [...new Set(typeof fields.needs === "string" ? [fields.needs] : (fields.needs ?? []))],
    readonly: fields.readonly ?? false,
    outputs: { files: fields.outputs?.files ?? [], ...(json ? { json } : {}) },
    gates: gatesOf(fields.gates ?? []),
    setup: fields.setup ?? defaults.setup ?? [],
    retry: { attempts: retry.attempts ?? DEFAULT_ATTEMPTS[step.kind], backoffMs: retry.backoff ?? 0 },
    timeoutMs: fields.timeout ?? defaults.timeout ?? DEFAULT_TIMEOUT_MS,
    env: step.env,
    ...(fields.budget === undefined ? {} : { budget: fields.budget }),
    touches: fields.touches ?? [],
    priority: fields.priority ?? 0,
    ...(fields.affinity === undefined ? {} : { affinity: fields.affinity }),
    ...(protectedGlobs === undefined ? {} : { protected: protectedGlobs }),
  };
  if (step.kind === "command") return { ...common, kind: "command", command: step.command };
  return { ...common, kind: "agent", prompt: step.prompt, agent: fields.agent ?? defaults.agent ?? { capability: [] } };
}

export function buildPipeline(file: PipelineFields, fileName: string, steps: Step[]): Pipeline {
  const { name, description, budget } = file;
  return {
    name: name ?? nameOf(fileName),
    ...(description === undefined ? {} : { description }),
    ...(budget === undefined ? {} : { budget }),
    steps,
  };
}

/** `ci/fix.yaml` -> `fix`. */
function nameOf(fileName: string): string {
  const base =
    fileName
      .split(/[\\/]/)
      .at(-1)
      ?.replace(/\.ya?ml$/i, "") ?? "";
  return base === "" ? "pipeline" : base.slice(0, 128);
}

const definedOf = <T extends object>(fields: T): Partial<T> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Partial<T>;

function gatesOf(fields: readonly GateFields[]): Gate[] {
  const taken = new Set(fields.flatMap((g) => (typeof g === "object" && g.name !== undefined ? [g.name] : [])));
  const unique = (wanted: string): string => {
    let name = wanted;
    for (let n = 2; taken.has(name); n++) name = `${wanted} (${n})`;
    taken.add(name);
    return name;
  };
  return fields.map((gate) => {
    if (typeof gate === "string") return { kind: "command", name: unique(cut(gate)), command: gate, timeoutMs: DEFAULT_GATE_TIMEOUT_MS };
    if ("files" in gate) return { kind: "files", name: gate.name ?? unique(cut(`files: ${gate.files.join(", ")}`)), files: gate.files };
    const { command, name, timeout = DEFAULT_GATE_TIMEOUT_MS } = gate;
    return { kind: "command", name: name ?? unique(cut(command)), command, timeoutMs: timeout };
  });
}

function cut(text: string): string {
  const line = text.trim().split(/\r?\n/)[0] ?? "";
  return line.length <= LONGEST_GATE_NAME ? line : `${line.slice(0, LONGEST_GATE_NAME - 3)}...`;
}
