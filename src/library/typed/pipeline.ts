import { StepCollector, type Builder } from "./builder.ts";
import { isExpression, type AnyExpression, type ValueOf } from "./expression.ts";
import type { InputSpecs, NoInputs } from "./inputs.ts";
import type { AgentChoice, AnyStepRef, Text } from "./step-spec.ts";
import { TypedPipeline } from "./typed-pipeline.ts";
import { yamlMap } from "./write-step.ts";

/** The top of a pipeline: the keys of a YAML file (docs/pipeline.md). */
export interface PipelineSpec<I extends InputSpecs = NoInputs> {
  description?: string;
  /** Most a run may spend, USD. */
  budget?: number;
  inputs?: I;
  secrets?: readonly string[];
  env?: Readonly<Record<string, Text | number | boolean>>;
  protected?: readonly string[];
  defaults?: {
    timeout?: string | number;
    retry?: number | { attempts?: number; backoff?: string | number };
    agent?: string | AgentChoice;
    setup?: readonly string[];
    teardown?: readonly string[];
    onStuck?: "retry" | "escalate" | "fail" | "ask";
    stuckAfter?: string | number;
  };
}

/** What the body answers: the pipeline's outputs. A step stands for its output. */
export type Results = Readonly<Record<string, AnyStepRef | AnyExpression>>;
export type ResultValues<R> = { -readonly [K in keyof R]: ValueOf<R[K] extends AnyStepRef ? R[K]["output"] : R[K]> };

/** The outputs of a typed pipeline: `OutputsOf<typeof release>`. */
export type OutputsOf<P> = P extends TypedPipeline<infer _, infer O> ? O : never;

/**
 * A pipeline in TypeScript: the same language as YAML, with types for what passes between steps. A step waits for the steps whose values
 * it uses. Everything is checked at once; throws PIPELINE_INVALID with all that is wrong.
 */
// oxlint-disable-next-line typescript/no-empty-object-type, typescript/no-invalid-void-type -- a body that answers nothing has no outputs
export function pipeline<const I extends InputSpecs = NoInputs, R extends Results | void = void>(
  name: string,
  spec: PipelineSpec<I>,
  body: (build: Builder<I>) => R,
): TypedPipeline<I, R extends Results ? ResultValues<R> : null> {
  const { inputs = {}, secrets = [], defaults, ...rest } = spec;
  const collector = new StepCollector(name, Object.keys(inputs), secrets);
  const results: Results = body(collector as unknown as Builder<I>) ?? {};
  const outputs = Object.entries(results).map(([key, value]) => [key, isExpression(value) ? value : value.output] as const);
  const all = [...new Set([...secrets, ...collector.secretsBelow])];
  const made = new TypedPipeline<I, R extends Results ? ResultValues<R> : null>({
    name,
    top: yamlMap({
      ...rest,
      defaults: defaults && yamlMap(defaults),
      inputs:
        Object.keys(inputs).length > 0 ? new Map(Object.entries(inputs).map(([key, about]) => [key, yamlMap(about as object)])) : undefined,
      secrets: all.length > 0 ? all : undefined,
    }),
    steps: collector.steps,
    outputs: new Map(outputs),
  });
  // One that says which round it is makes sense only where it is repeated: it is checked there.
  if (!collector.usesRound) void made.pipeline;
  return made;
}
