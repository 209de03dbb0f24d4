import { z } from "zod";

/**
 * A validated pipeline: what the `pipeline` room makes of YAML, what `RunStarted` carries, what `decide`
 * reads. All defaults are filled in, so nobody below the pipeline room knows any.
 */

/** A check that decides whether an attempt is accepted. */
export const Gate = z.discriminatedUnion("kind", [
  /** A shell command run in a clean checkout of the attempt's commit; exit 0 accepts. */
  z.object({ kind: z.literal("command"), name: z.string(), command: z.string(), timeoutMs: z.number().int().positive() }),
  /** Paths (globs) that must exist in the attempt's commit. */
  z.object({ kind: z.literal("files"), name: z.string(), files: z.array(z.string()) }),
]);
export type Gate = z.infer<typeof Gate>;

/** A JSON file in the attempt's commit that must satisfy a JSON Schema; it becomes the step's structured output. */
export const JsonOutput = z.object({ file: z.string(), schema: z.record(z.string(), z.unknown()) });
export type JsonOutput = z.infer<typeof JsonOutput>;

const StepBase = z.object({
  /** The step's path in the pipeline; its identity. */
  path: z.string(),
  needs: z.array(z.string()),
  /** Promises no change to the repository; anything it leaves behind is refused. */
  readonly: z.boolean(),
  outputs: z.object({ files: z.array(z.string()), json: JsonOutput.optional() }),
  gates: z.array(Gate),
  /** Shell commands that prepare a workspace and the clean checkout the gates run in. */
  setup: z.array(z.string()),
  retry: z.object({ attempts: z.number().int().positive(), backoffMs: z.number().int().nonnegative() }),
  timeoutMs: z.number().int().positive(),
  env: z.record(z.string(), z.string()),
  /** Most this step may spend over all its attempts, micro-dollars. */
  budget: z.number().int().nonnegative().optional(),
  /** Globs the step is expected to change: two steps whose globs overlap do not run at the same time. */
  touches: z.array(z.string()),
  /** Higher goes first. */
  priority: z.number().int(),
  /** Steps with one affinity key prefer one agent. */
  affinity: z.string().optional(),
  /**
   * Globs whose content is always the base commit's: an attempt's changes there are dropped before it is judged.
   * `undefined` means the default, what judges the step (see quality/gates/protected.ts).
   */
  protected: z.array(z.string()).optional(),
});

export const AgentStep = StepBase.extend({
  kind: z.literal("agent"),
  prompt: z.string(),
  /** Which agents may do it; an empty request means any registered agent that can edit files. */
  agent: z.object({ id: z.string().optional(), tier: z.string().optional(), capability: z.array(z.string()) }),
});
export type AgentStep = z.infer<typeof AgentStep>;

export const CommandStep = StepBase.extend({ kind: z.literal("command"), command: z.string() });
export type CommandStep = z.infer<typeof CommandStep>;

export const Step = z.discriminatedUnion("kind", [AgentStep, CommandStep]);
export type Step = z.infer<typeof Step>;

export const Pipeline = z.object({
  name: z.string(),
  description: z.string().optional(),
  /** Most the whole run may spend, micro-dollars. */
  budget: z.number().int().nonnegative().optional(),
  /** In the order of the file. */
  steps: z.array(Step),
});
export type Pipeline = z.infer<typeof Pipeline>;
