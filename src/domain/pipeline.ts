import { z } from "zod";
import { Gate } from "./gates.ts";

/**
 * A validated pipeline: what the `pipeline` room makes of YAML, what `RunStarted` carries, what `decide`
 * reads. All defaults are filled in, so nobody below the pipeline room knows any.
 */

/** A JSON file in the attempt's commit that must satisfy a JSON Schema; it becomes the step's structured output. */
export const JsonOutput = z.object({ file: z.string(), schema: z.record(z.string(), z.unknown()) });
export type JsonOutput = z.infer<typeof JsonOutput>;

/** `afterMs`: silence after which it counts as stuck. `retry`: it is stopped and tried again. `ask`: people are asked. `escalate`: it is tried again one tier up. */
export const Stuck = z.object({ move: z.enum(["retry", "fail", "ask", "escalate"]), afterMs: z.number().int().positive() });
export type Stuck = z.infer<typeof Stuck>;

/** Of steps that an agent does. A command may be silent for as long as its timeout lets it. */
export const stuckByDefault: Readonly<Stuck> = { move: "retry", afterMs: 10 * 60_000 };

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
  /** Shell commands that undo what `setup` did outside the workspace; run after the attempt however it ended. Absent: none. */
  teardown: z.array(z.string()).optional(),
  retry: z.object({ attempts: z.number().int().positive(), backoffMs: z.number().int().nonnegative() }),
  timeoutMs: z.number().int().positive(),
  /** What is done with an attempt that makes no progress. Absent: `stuckByDefault` for agents, and nothing for commands. */
  stuck: Stuck.optional(),
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
  /** CEL, true or false; evaluated once the needs are over. False: the step is skipped. */
  if: z.string().optional(),
  /** Which end of its needs lets it run. Absent: all succeeded. `failed`: at least one failed. `always`: whatever happened. */
  when: z.enum(["failed", "always"]).optional(),
  /** A named part of the run: when all its steps are over, a report of it is written. A group's is its steps'. */
  phase: z.string().optional(),
  /** Its failure fails neither the run nor what needs it. */
  mayFail: z.boolean().optional(),
  /** Some of its texts hold `${{ }}`: `StepResolved` brings the step with their values before anything of it starts. */
  dynamic: z.boolean().optional(),
  /** What an agent may do without asking; absent: everything inside its workspace. */
  permissions: z.enum(["allow", "edits", "ask", "deny"]).optional(),
  /** A candidate of a best-of step: its accepted work waits until the group has picked one. */
  hold: z.literal(true).optional(),
  /** The group it was expanded from. */
  parent: z.string().optional(),
  /** What `steps.x` in its expressions means: the step at `scope + x`. Ends in a slash; absent at the top. */
  scope: z.string().optional(),
});

/** How a step climbs from tier to tier. What is absent is the project's, else ours. */
export const Escalate = z.object({
  /** The tier of the first attempt. */
  entry: z.string().optional(),
  /** The highest tier. */
  ceiling: z.string().optional(),
  /** Tries at a tier before the next one, for all tiers or by tier. */
  attempts: z.union([z.number().int().positive(), z.record(z.string(), z.number().int().positive())]).optional(),
});
export type Escalate = z.infer<typeof Escalate>;

export const AgentStep = StepBase.extend({
  kind: z.literal("agent"),
  prompt: z.string(),
  /** Which agents may do it; an empty request means any registered agent that can edit files. */
  agent: z.object({ id: z.string().optional(), tier: z.string().optional(), capability: z.array(z.string()) }),
  /** Absent: as the project says, unless an agent or a tier is named, which then has all attempts. `false`: every attempt is routed alike. */
  escalate: z.union([z.literal(false), Escalate]).optional(),
  /** What kind of work it is, see `stepTypes` in models/routing. Absent: told from the prompt. */
  type: z.string().optional(),
  /** Words that rules of the project look for. */
  labels: z.array(z.string()).optional(),
});
export type AgentStep = z.infer<typeof AgentStep>;

export const CommandStep = StepBase.extend({ kind: z.literal("command"), command: z.string() });
export type CommandStep = z.infer<typeof CommandStep>;

/** Waits for people. Completed when `count` of them agree, failed when one refuses. */
export const ApproveStep = StepBase.extend({
  kind: z.literal("approve"),
  title: z.string(),
  detail: z.string().optional(),
  /** Names of those who may answer; empty: anybody who can reach the inbox. */
  who: z.array(z.string()),
  count: z.number().int().positive(),
  expiresMs: z.number().int().positive().optional(),
  onExpiry: z.enum(["reject", "approve"]),
  /** Steps that are done again when somebody asks for rework: the step's needs unless it names others. */
  rework: z.array(z.string()),
});
export type ApproveStep = z.infer<typeof ApproveStep>;

/** Asks people. Its output is `{ answer }`. */
export const AskStep = StepBase.extend({
  kind: z.literal("ask"),
  question: z.string(),
  /** Empty: any text. */
  choices: z.array(z.string()),
  /** The answer when nobody gave one in time. */
  fallback: z.object({ answer: z.string(), afterMs: z.number().int().positive() }).optional(),
});
export type AskStep = z.infer<typeof AskStep>;

/** A value of YAML; its texts may hold `${{ }}`. */
const Template = z.unknown();

/** Who picks between candidates, and by what. */
export const Judging = z.object({
  /** Ids of agents whose models are asked, or tiers. Empty: the cheapest that did none of the work. */
  judges: z.array(z.string()),
  stronger: z.string().optional(),
  /** What makes one better, as a sentence. */
  rubric: z.string().optional(),
});
export type Judging = z.infer<typeof Judging>;

/** What a group's children are made from. */
export type GroupBody =
  /** One child for every combination of a matrix, or for every item of a list. Output: the children's outputs, in order. */
  | {
      kind: "each";
      over:
        | { kind: "matrix"; axes: Record<string, unknown>; include: Record<string, unknown>[]; exclude: Record<string, unknown>[] }
        /** CEL, a list. */
        | { kind: "list"; items: string };
      /** More children than this is a failure of the group. */
      most: number;
      /** The first child that fails stops the others. */
      failFast: boolean;
      /** Most children at a time. */
      parallel?: number | undefined;
      step: Step;
    }
  /** The same step done once by each candidate; of those that are accepted one is picked and merged. Output: the picked one's. */
  | {
      kind: "best-of";
      step: AgentStep;
      /** In place of the step's own agent. An empty one leaves it as it is. */
      candidates: { id?: string | undefined; tier?: string | undefined }[];
      /** Absent: nobody is asked, and the smallest change is picked. */
      judging?: Judging | undefined;
    }
  /** Another pipeline, its steps below this one's path. Output: the pipeline's `outputs`. */
  | {
      kind: "pipeline";
      pipeline: Pipeline;
      with: Record<string, unknown>;
      /** Done again until the CEL condition over its own steps holds, `most` times at most. */
      repeat?: { until: string; most: number } | undefined;
    };

export const GroupBody: z.ZodType<GroupBody> = z.lazy(() =>
  z.discriminatedUnion("kind", [
    z.object({
      kind: z.literal("each"),
      over: z.discriminatedUnion("kind", [
        z.object({
          kind: z.literal("matrix"),
          axes: z.record(z.string(), Template),
          include: z.array(z.record(z.string(), Template)),
          exclude: z.array(z.record(z.string(), Template)),
        }),
        z.object({ kind: z.literal("list"), items: z.string() }),
      ]),
      most: z.number().int().positive(),
      failFast: z.boolean(),
      parallel: z.number().int().positive().optional(),
      step: Step,
    }),
    z.object({
      kind: z.literal("best-of"),
      step: AgentStep,
      candidates: z.array(z.object({ id: z.string().optional(), tier: z.string().optional() })).min(1),
      judging: Judging.optional(),
    }),
    z.object({
      kind: z.literal("pipeline"),
      pipeline: Pipeline,
      with: z.record(z.string(), Template),
      repeat: z.object({ until: z.string(), most: z.number().int().positive() }).optional(),
    }),
  ]),
);

/** A step made of other steps. */
export type GroupStep = z.infer<typeof StepBase> & { kind: "group"; body: GroupBody };
const GroupStep = StepBase.extend({ kind: z.literal("group"), body: GroupBody });

export type Step = AgentStep | CommandStep | ApproveStep | AskStep | GroupStep;
export const Step: z.ZodType<Step> = z.lazy(() => z.discriminatedUnion("kind", [AgentStep, CommandStep, ApproveStep, AskStep, GroupStep]));

/** Steps that an agent or a shell carries out, by attempts. */
export type WorkStep = AgentStep | CommandStep;

export const Input = z.object({
  type: z.enum(["string", "number", "integer", "boolean", "list", "map"]),
  description: z.string().optional(),
  /** Absent: the input must be given. */
  default: z.unknown().optional(),
  choices: z.array(z.unknown()).optional(),
});
export type Input = z.infer<typeof Input>;

export interface Pipeline {
  name: string;
  description?: string | undefined;
  /** Most the whole run may spend, micro-dollars. */
  budget?: number | undefined;
  inputs?: Record<string, Input> | undefined;
  /** Names of secrets its steps may use in `env`, as `${{ secrets.NAME }}`. */
  secrets?: string[] | undefined;
  /** CEL over its steps; what a pipeline that nests this one sees as its output. */
  outputs?: Record<string, string> | undefined;
  /** In the order of the file. */
  steps: Step[];
}
export const Pipeline: z.ZodType<Pipeline> = z.lazy(() =>
  z.object({
    name: z.string(),
    description: z.string().optional(),
    budget: z.number().int().nonnegative().optional(),
    inputs: z.record(z.string(), Input).optional(),
    secrets: z.array(z.string()).optional(),
    outputs: z.record(z.string(), z.string()).optional(),
    steps: z.array(Step),
  }),
);
