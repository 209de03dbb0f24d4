import { Document, isScalar, Scalar, visit } from "yaml";
import type { Pipeline } from "../../domain/index.ts";
import { formatProblems, parsePipeline, type ParsedPipeline } from "../../pipeline/index.ts";
import { LibraryError } from "../errors.ts";
import type { AnyExpression } from "./expression.ts";
import type { YamlMap } from "./write-step.ts";

declare const typeOfValues: unique symbol;

/** What a typed pipeline is made of. Internal to this folder. */
export interface Parts {
  name: string;
  /** The top of the file without `name`, `steps` and `outputs`. */
  top: YamlMap;
  steps: Map<string, YamlMap>;
  outputs: ReadonlyMap<string, AnyExpression>;
}

const parts = new WeakMap<object, Parts>();
export const partsOf = (typed: object): Parts => {
  const found = parts.get(typed);
  if (!found) throw new TypeError("not a pipeline made by pipeline()");
  return found;
};

/** A pipeline written in TypeScript. `I`: its inputs, `O`: its outputs. */
export class TypedPipeline<I, O> {
  readonly name: string;
  declare readonly [typeOfValues]?: readonly [I, O];
  #parsed: ParsedPipeline | undefined;

  constructor(of: Parts) {
    this.name = of.name;
    parts.set(this, of);
  }

  /** The same pipeline as a YAML file. */
  toYaml(): string {
    const { name, top, steps, outputs } = partsOf(this);
    const results: [string, unknown][] =
      outputs.size > 0 ? [["outputs", new Map([...outputs].map(([key, e]) => [key, e.toString()]))]] : [];
    return yamlText(new Map<string, unknown>([["name", name], ...top, ["steps", steps], ...results]));
  }

  /** As the engine has it; throws PIPELINE_INVALID. */
  get pipeline(): Pipeline {
    const yaml = this.toYaml();
    const parsed = (this.#parsed ??= parsePipeline(yaml, this.name));
    if (parsed.ok) return parsed.pipeline;
    throw new LibraryError("PIPELINE_INVALID", formatProblems(parsed.problems, { [this.name]: yaml }), "The lines are those of its YAML.", {
      problems: parsed.problems,
    });
  }
}

/** As a person would write it: texts of several lines in lines of their own, nothing folded. */
export function yamlText(value: YamlMap): string {
  const document = new Document(value, { aliasDuplicateObjects: false });
  visit(document, {
    Scalar(_, node) {
      if (isScalar(node) && typeof node.value === "string" && node.value.includes("\n")) node.type = Scalar.BLOCK_LITERAL;
    },
  });
  return document.toString({ lineWidth: 0, flowCollectionPadding: false });
}
