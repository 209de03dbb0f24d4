import { z } from "zod";
import {
  CommandText,
  Dollars,
  duration,
  expecting,
  FilePath,
  Glob as PlainGlob,
  Id,
  keyed,
  oneOf,
  refuse,
  STEP_TYPES,
  TierName,
} from "../config/index.ts";
import { GateShape, JudgeNames } from "./gate-shapes.ts";
import { Cel, NAME_PATTERN, templated } from "./texts-shape.ts";
import {
  agentWords,
  approveStepWords,
  approveWords,
  askStepWords,
  askWords,
  bestOfWords,
  commandStepWords,
  defaultsWords,
  escalateWords,
  inputWords,
  jsonWords,
  nestedStepWords,
  NO_TYPES,
  outputsWords,
  pipelineWords,
  repeatWords,
  retryWords,
  stepWords,
  untilWords,
} from "./vocabulary.ts";

/** The format as people write it. Ids of needs, environment variables and the graph are checked beside it. */

const Glob = templated(PlainGlob);

const Capability = z.string().regex(/^[a-z][a-z0-9_-]{0,63}$/, "Write a word like web_search");

const Agent = z
  .union(
    [
      Id,
      keyed(
        {
          id: Id.optional().describe("Id of an agent in stepfall.yaml"),
          tier: TierName.optional().describe("The tier to start at: free, mid or premium"),
          capability: z.union([Capability, z.array(Capability)], expecting("a capability or a list of them")).optional(),
        },
        agentWords,
      ),
    ],
    expecting("an agent's id, or a map with id, tier and capability"),
  )
  .transform((agent) => {
    if (typeof agent === "string") return { id: agent, capability: [] };
    const { id, tier, capability = [] } = agent;
    return {
      ...(id === undefined ? {} : { id }),
      ...(tier === undefined ? {} : { tier }),
      capability: typeof capability === "string" ? [capability] : capability,
    };
  })
  .describe("Which agents may do it; without it any that can edit files");

const MOST_ATTEMPTS = 100;
const attempts = z.int().min(1).max(MOST_ATTEMPTS);
const Retry = z
  .union(
    [attempts, keyed({ attempts: attempts.optional(), backoff: duration(0).optional() }, retryWords)],
    expecting("a number of attempts, or a map with attempts and backoff"),
  )
  .transform((retry) => (typeof retry === "number" ? { attempts: retry } : retry))
  .describe("Tries in all, the first one too; default 3");

// A JSON Schema is judged by ajv where it is compiled; here it is any map.
const JsonOutput = keyed({ file: templated(FilePath), schema: z.record(z.string(), z.unknown()).describe("A JSON Schema") }, jsonWords);
const Outputs = z
  .union(
    [z.array(Glob), keyed({ files: z.array(Glob).optional(), json: JsonOutput.optional() }, outputsWords)],
    expecting("a list of globs, or a map with files and json"),
  )
  .transform((outputs) => (Array.isArray(outputs) ? { files: outputs } : { ...outputs, files: outputs.files ?? [] }))
  .describe("What must exist in git when the step is done");

const Commands = z.array(CommandText);
const Env = z.record(
  z.string(), // names are checked with the secrets, in env-check.ts
  z.union([z.string(), z.number(), z.boolean()], expecting("text in quotes")),
);
const Globs = z.array(Glob);
const Needs = z.union([z.string(), z.array(z.string())], expecting("a step's id or a list of them"));

/** Every step has these. */
const control = {
  needs: Needs.optional().describe("Steps that must be done first"),
  if: Cel.optional().describe("CEL condition; false: the step is skipped"),
  "on-failure": z.boolean().optional().describe("Runs only when one of its needs failed; without needs: when any other step did"),
  finally: z.boolean().optional().describe("Runs whatever happened; without needs: after all other steps"),
  "may-fail": z.boolean().optional().describe("Its failure fails nothing else"),
  priority: z.int().min(-1_000_000).max(1_000_000).optional().describe("Higher goes first; default 0"),
  phase: Id.optional().describe("A named part of the run; when all its steps are over, a report of it is written"),
};

const MOST_CHILDREN = 1000;
const AnyMap = z.record(z.string(), z.unknown());
const Axis = z.union([z.string(), z.array(z.unknown())], expecting("a list, or ${{ }} that answers one"));

/** One step for each of several values. */
const repeated = {
  matrix: z
    .object({ include: z.array(AnyMap).optional(), exclude: z.array(AnyMap).optional() })
    .catchall(Axis)
    .optional()
    .describe("One step for each combination of the axes: `${{ matrix.axis }}`"),
  foreach: z
    .union([z.string(), z.array(z.unknown())], expecting("CEL that answers a list, or a list"))
    .optional()
    .describe("One step for each item of a list: `${{ item }}`, `${{ index }}`"),
  max: z.int().min(1).max(MOST_CHILDREN).optional().describe("Most steps that matrix or foreach may make; default 100"),
  "fail-fast": z.boolean().optional().describe("The first that fails stops the others; default true"),
  parallel: z.int().min(1).max(MOST_CHILDREN).optional().describe("Most of them at a time"),
};

const STUCK = ["retry", "fail", "ask", "escalate"] as const;
/** An attempt that makes no progress. */
const stuck = {
  "on-stuck": z
    .enum(STUCK)
    .optional()
    .describe("What is done with an attempt that makes no progress; default retry for agents, nothing for commands"),
  "stuck-after": duration(1000).optional().describe("Silence after which an attempt makes no progress; default 10m"),
};

const work = {
  outputs: Outputs.optional(),
  gates: z.array(GateShape).optional().describe("Checks that decide whether an attempt is accepted"),
  setup: Commands.optional().describe("Shell commands that prepare the workspace; replaces the default, [] turns it off"),
  teardown: Commands.optional().describe("Shell commands run after the attempt, however it ended; replaces the default, [] turns it off"),
  readonly: z.boolean().optional().describe("Promises no change to the repository"),
  retry: Retry.optional(),
  timeout: duration(1).optional().describe("Of one attempt; default 30m"),
  ...stuck,
  env: Env.optional(),
  budget: Dollars.optional().describe("Most the step may spend, USD"),
  touches: Globs.optional().describe("Globs the step will change: steps that overlap do not run at the same time"),
  affinity: z.string().min(1).max(128).optional().describe("Steps with one key prefer one agent"),
  protected: z.array(PlainGlob).optional().describe("Globs an attempt cannot change; replaces the default, [] turns it off"),
};

const notBlank =
  (what: string, hint: string) =>
  (text: string, ctx: z.core.$RefinementCtx): void => {
    if (text.trim() === "") refuse(ctx, "BAD_VALUE", `the ${what} is empty`, hint);
  };
const Prompt = z.string().superRefine(notBlank("prompt", "Say what the agent should do"));
const Question = z.string().superRefine(notBlank("question", "Say what people should answer"));
const Title = z.string().superRefine(notBlank("title", "Say what people should approve"));

const PerTier = z.int().min(1).max(20);
const Escalate = z
  .union(
    [
      z.boolean(),
      keyed(
        {
          entry: TierName.optional().describe("Tier of the first attempt; default: the cheapest to an accepted result"),
          ceiling: TierName.optional().describe("The highest tier; default: the highest there is"),
          attempts: z
            .union([PerTier, z.record(TierName, PerTier)], expecting("a number, or one for each tier"))
            .optional()
            .describe("Tries at a tier before the next one; default 1"),
        },
        escalateWords,
      ),
    ],
    expecting("true, false, or a map with entry, ceiling and attempts"),
  )
  .transform((value) => (value === true ? {} : value));

const MOST_CANDIDATES = 10;
const Candidates = z.int().min(2).max(MOST_CANDIDATES);
const BestOf = z
  .union(
    [
      Candidates,
      keyed(
        {
          n: Candidates.optional().describe("So many attempts by whoever would do the step"),
          agents: z.array(Id).min(2).max(MOST_CANDIDATES).optional().describe("One by each of these agents; one named twice does it twice"),
          tiers: z.array(TierName).min(2).max(MOST_CANDIDATES).optional().describe("One at each of these tiers"),
          judges: JudgeNames.optional().describe(
            "Agents whose models pick, or a tier; default with rubric or stronger: the cheapest that is no candidate",
          ),
          stronger: Id.optional().describe("Who is asked where the judges do not settle it; default: the dearest other agent"),
          rubric: z.string().optional().describe("What makes one better; default: right, then complete, then simple"),
        },
        bestOfWords,
      ).superRefine((fields, ctx) => {
        const who = [fields.n, fields.agents, fields.tiers].filter((one) => one !== undefined);
        if (who.length !== 1 && ctx.issues.length === 0)
          refuse(
            ctx,
            "BAD_VALUE",
            "the candidates must be said in one way",
            "Write one of `n: 3`, `agents: [a, b]` and `tiers: [free, mid]`",
          );
      }),
    ],
    expecting("a number from 2 to 10, or a map with n, agents or tiers, and judges"),
  )
  .transform((value) => (typeof value === "number" ? { n: value } : value));

const agentOnly = {
  agent: Agent.optional(),
  "best-of": BestOf.optional().describe("Done several times; of what passes the gates one is picked and merged"),
  escalate: Escalate.optional().describe("Whether, and how, the next attempt goes one tier up when a result was refused"),
  type: oneOf(STEP_TYPES, NO_TYPES).optional().describe("What kind of work it is, for routing; default: told from the prompt"),
  labels: z.array(z.string().min(1).max(64)).max(50).optional().describe("Words that the project's routing rules look for"),
  permissions: z.enum(["allow", "edits", "ask", "deny"]).optional().describe("What the agent may do without asking; default allow"),
};
export const AgentStepShape = keyed({ prompt: Prompt, ...agentOnly, ...control, ...repeated, ...work }, stepWords);
export const CommandStepShape = keyed({ command: CommandText, ...control, ...repeated, ...work }, commandStepWords);

const Names = z.union([z.string(), z.array(z.string())], expecting("a name or a list of them"));
const Approve = z.union(
  [
    Title,
    keyed(
      {
        title: Title,
        detail: z.string().optional(),
        who: Names.optional().describe("Who may answer; default anybody"),
        count: z.int().min(1).max(100).optional().describe("How many must agree; default 1"),
        expires: duration(1000).optional(),
        "on-expiry": z.enum(["reject", "approve"]).optional().describe("Default reject"),
        rework: Needs.optional().describe("Steps done again when somebody asks for it; default its needs"),
      },
      approveWords,
    ),
  ],
  expecting("a title, or a map with title, who, count, expires"),
);
export const ApproveStepShape = keyed({ approve: Approve, ...control }, approveStepWords);

const Answer = z
  .union([z.string(), z.number(), z.boolean()], expecting("text"))
  .transform(String)
  .superRefine(notBlank("answer", "Write an answer"));
const Ask = z.union(
  [
    Question,
    keyed(
      {
        question: Question,
        choices: z.array(Answer).optional().describe("Default: any text"),
        default: Answer.optional().describe("The answer when nobody gave one in time"),
        after: duration(1000).optional().describe("How long to wait before the default holds"),
      },
      askWords,
    ),
  ],
  expecting("a question, or a map with question, choices, default, after"),
);
export const AskStepShape = keyed({ ask: Ask, ...control }, askStepWords);

const nested = {
  with: AnyMap.optional().describe("Values for the inputs of the steps below"),
  env: Env.optional().describe("For every step below that says nothing else"),
  budget: Dollars.optional().describe("Most the steps below may spend together, USD"),
  repeat: keyed(
    {
      until: z.union([Cel, keyed({ command: CommandText }, untilWords)], expecting("CEL, or a map with command")),
      max: z.int().min(1).max(100).describe("Most rounds"),
    },
    repeatWords,
  )
    .optional()
    .describe("Done again until a condition over its steps holds"),
  ...control,
  ...repeated,
};
export const PipelineStepShape = keyed(
  { pipeline: z.string().describe("Path of a pipeline file, from this file"), ...nested },
  nestedStepWords,
);
const CelMap = z.record(z.string().regex(NAME_PATTERN), Cel);
export const StepsStepShape = keyed(
  { steps: z.unknown(), outputs: CelMap.optional().describe("CEL over the steps below: what `steps.<id>.output` is"), ...nested },
  nestedStepWords,
);
/** For a step whose kind cannot be told: the rest of it is checked all the same. */
export const AnyStepShape = keyed(
  { prompt: Prompt.optional(), command: CommandText.optional(), ...agentOnly, ...control, ...repeated, ...work },
  stepWords,
);

const OneLine = z
  .string()
  .min(1)
  .max(128)
  .regex(/^[^\r\n]*$/, "Write the name on one line");

const INPUT_TYPES = ["string", "number", "integer", "boolean", "list", "map"] as const;
const InputShape = z.union(
  [
    z.enum(INPUT_TYPES),
    z.number(),
    z.boolean(),
    z.array(z.unknown()),
    keyed(
      {
        type: z.enum(INPUT_TYPES).optional().describe("Default: that of `default`, else string"),
        description: z.string().optional(),
        default: z.unknown().optional().describe("Without it the input must be given"),
        choices: z.array(z.unknown()).min(1).optional(),
      },
      inputWords,
    ),
  ],
  expecting(`one of ${INPUT_TYPES.join(", ")}, a default that is no text, or a map with type, default, choices`),
);

export const topKeys = {
  name: OneLine.optional().describe("Default: the file's name"),
  description: z.string().optional(),
  budget: Dollars.optional().describe("Most the run may spend, USD"),
  defaults: keyed(
    {
      timeout: duration(1).optional(),
      ...stuck,
      retry: Retry.optional(),
      agent: Agent.optional(),
      escalate: Escalate.optional(),
      setup: Commands.optional(),
      teardown: Commands.optional(),
    },
    defaultsWords,
  )
    .optional()
    .describe("For every step that says nothing else"),
  env: Env.optional().describe("For every step"),
  protected: z.array(PlainGlob).optional().describe("For every step"),
  inputs: z.record(z.string(), InputShape).optional().describe("Values given when the pipeline is run"),
  secrets: z
    .array(z.string().regex(/^[A-Za-z_]\w*$/, "Write the names of environment variables"))
    .optional()
    .describe("Secrets that steps may use in env"),
  outputs: CelMap.optional().describe("CEL over its steps: what the pipeline answers"),
};

/** The top of the file; steps are parsed one by one, each by the shape of its kind. */
export const PipelineShape = keyed({ ...topKeys, steps: z.unknown().optional() }, pipelineWords);

export type PipelineFields = z.output<typeof PipelineShape>;
export type WorkFields = z.output<typeof AgentStepShape> | z.output<typeof CommandStepShape>;
export type AgentFields = z.output<typeof AgentStepShape>;
export type BestOfFields = Partial<Extract<z.output<typeof BestOf>, { judges?: unknown }>>;
export type ControlFields = z.output<z.ZodObject<typeof control>>;
export type RepeatedFields = z.output<z.ZodObject<typeof repeated>>;
export type NestedFields = z.output<typeof PipelineStepShape> | z.output<typeof StepsStepShape>;
export type ApproveFields = z.output<typeof ApproveStepShape>;
export type AskFields = z.output<typeof AskStepShape>;
export type InputFields = z.output<typeof InputShape>;
