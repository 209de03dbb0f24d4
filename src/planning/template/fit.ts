import { isMap, isScalar, isSeq, parseDocument, Scalar, YAMLSeq, type YAMLMap } from "yaml";
import { parsePipeline } from "../../pipeline/index.ts";
import { literalText, textOf } from "../pipeline-yaml.ts";
import type { TaskDefaults, TaskPipeline } from "../tasks/contract.ts";

/** Stands in a template where a project's own check belongs. */
const PLACEHOLDER = "npm test";
/** Refuses everything, which is what an unknown check must do. */
const REFUSE = "false";

export interface TemplateFit extends TaskDefaults {
  /** Become the defaults of the template's inputs. */
  inputs?: Readonly<Record<string, string>>;
}

/**
 * A template with a project's own commands: each gate and each command that is the placeholder becomes these gates, and the steps with
 * one prepare their workspace by `setup`. Comments stay. Without gates the placeholder becomes a command that accepts nothing.
 */
export function fitTemplate(text: string, fit: TemplateFit): string {
  const document = parseDocument(text);
  const steps = document.get("steps");
  if (isMap(steps)) for (const { value: step } of steps.items) if (isMap(step)) fitStep(step, fit);
  if (fit.budget !== undefined) document.set("budget", fit.budget / 1_000_000);
  for (const [name, value] of Object.entries(fit.inputs ?? {})) document.setIn(["inputs", name, "default"], literalText(value));
  return textOf(document);
}

/** The same, loaded like any file. */
export function pipelineOfTemplate(text: string, fit: TemplateFit): TaskPipeline {
  const fitted = fitTemplate(text, fit);
  return { text: fitted, parsed: parsePipeline(fitted, "the template") };
}

function fitStep(step: YAMLMap, { gates, setup }: TemplateFit): void {
  let isChecked = false;
  const old = step.get("gates");
  if (isSeq(old) && old.items.some(isPlaceholder)) {
    const list = new YAMLSeq();
    const own = gates.length > 0 ? gates.map((gate) => new Scalar(literalText(gate))) : [refusal()];
    list.items = old.items.flatMap((item) => (isPlaceholder(item) ? own : [item]));
    step.set("gates", list);
    isChecked = true;
  }
  if (isPlaceholder(step.get("command", true))) {
    step.set("command", gates.length > 0 ? literalText(gates.map(inOneLine).join(" && ")) : refusal());
    isChecked = true;
  }
  if (isChecked && setup.length > 0) step.set("setup", setup.map(literalText));
}

/** Several lines, or a list of commands of its own, must succeed or fail as one. */
const inOneLine = (command: string, _: number, all: readonly string[]): string => (all.length > 1 ? `{ ${command.trim()}\n}` : command);

const isPlaceholder = (node: unknown): boolean => isScalar(node) && node.value === PLACEHOLDER;

function refusal(): Scalar {
  const scalar = new Scalar(REFUSE);
  scalar.type = Scalar.QUOTE_SINGLE;
  scalar.comment = " the command that tells whether the work is good belongs here; until then nothing is accepted";
  return scalar;
}
