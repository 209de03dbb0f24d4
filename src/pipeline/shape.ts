import { z } from "zod";
import { CommandText, Dollars, duration, expecting, FilePath, Glob, Id, keyed, refuse, TierName } from "../config/index.ts";
import {
  agentWords,
  defaultsWords,
  gateWords,
  jsonWords,
  LATER_GATE_KINDS,
  outputsWords,
  pipelineWords,
  retryWords,
  stepWords,
} from "./vocabulary.ts";

/** The format as people write it. Ids of needs, environment variables and the graph are checked beside it. */

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

const GateName = z
  .string()
  .min(1)
  .max(100)
  .regex(/^[^\r\n]*$/, "Write the name on one line");
const GateText = CommandText.superRefine((text, ctx) => {
  if (LATER_GATE_KINDS.includes(text.trim()))
    refuse(
      ctx,
      "NOT_SUPPORTED_YET",
      `the gate \`${text.trim()}\` is not supported yet`,
      "Remove it, or use a command that checks the same",
    );
});
const Gate = z.union(
  [
    GateText,
    keyed({ command: CommandText, name: GateName.optional(), timeout: duration(1).optional().describe("Default 10m") }, gateWords),
    keyed({ files: z.array(Glob).min(1).describe("Globs that must match something in the result"), name: GateName.optional() }, gateWords),
  ],
  expecting("a command, or a map with command or files"),
);

// A JSON Schema is judged by ajv where it is compiled; here it is any map.
const JsonOutput = keyed({ file: FilePath, schema: z.record(z.string(), z.unknown()).describe("A JSON Schema") }, jsonWords);
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

const common = {
  needs: Needs.optional().describe("Steps that must be done first"),
  outputs: Outputs.optional(),
  gates: z.array(Gate).optional().describe("Checks that decide whether an attempt is accepted"),
  setup: Commands.optional().describe("Shell commands that prepare the workspace; replaces the default, [] turns it off"),
  readonly: z.boolean().optional().describe("Promises no change to the repository"),
  retry: Retry.optional(),
  timeout: duration(1).optional().describe("Of one attempt; default 30m"),
  env: Env.optional(),
  budget: Dollars.optional().describe("Most the step may spend, USD"),
  touches: Globs.optional().describe("Globs the step will change: steps that overlap do not run at the same time"),
  priority: z.int().min(-1_000_000).max(1_000_000).optional().describe("Higher goes first; default 0"),
  affinity: z.string().min(1).max(128).optional().describe("Steps with one key prefer one agent"),
  protected: Globs.optional().describe("Globs an attempt cannot change; replaces the default, [] turns it off"),
};

const Prompt = z.string().superRefine((text, ctx) => {
  if (text.trim() === "") refuse(ctx, "BAD_VALUE", "the prompt is empty", "Say what the agent should do");
});

export const AgentStepShape = keyed({ prompt: Prompt, agent: Agent.optional(), ...common }, stepWords);
export const CommandStepShape = keyed(
  { command: CommandText, ...common },
  { ...stepWords, elsewhere: { ...stepWords.elsewhere, agent: "Only a step with a prompt has an agent" } },
);
/** For a step whose kind cannot be told: the rest of it is checked all the same. */
export const AnyStepShape = keyed(
  { prompt: Prompt.optional(), command: CommandText.optional(), agent: Agent.optional(), ...common },
  stepWords,
);

const OneLine = z
  .string()
  .min(1)
  .max(128)
  .regex(/^[^\r\n]*$/, "Write the name on one line");

const top = {
  name: OneLine.optional().describe("Default: the file's name"),
  description: z.string().optional(),
  budget: Dollars.optional().describe("Most the run may spend, USD"),
  defaults: keyed(
    { timeout: duration(1).optional(), retry: Retry.optional(), agent: Agent.optional(), setup: Commands.optional() },
    defaultsWords,
  )
    .optional()
    .describe("For every step that says nothing else"),
  env: Env.optional().describe("For every step"),
  protected: Globs.optional().describe("For every step"),
};

/** The top of the file; steps are parsed one by one, each by the shape of its kind. */
export const PipelineShape = keyed({ ...top, steps: z.unknown().optional() }, pipelineWords);

export type PipelineFields = z.output<typeof PipelineShape>;
export type StepFields = Omit<z.output<typeof AnyStepShape>, "prompt" | "command">;
export type GateFields = z.output<typeof Gate>;

/** JSON Schema (draft 7, what editors know best) of a pipeline file. */
export function pipelineJsonSchema(): Record<string, unknown> {
  const whole = keyed({ ...top, steps: z.record(Id, z.union([AgentStepShape, CommandStepShape])) }, pipelineWords);
  return {
    title: "Stepfall pipeline",
    $comment: `Not supported yet: ${[...(pipelineWords.later ?? []), ...(stepWords.later ?? [])].join(", ")}; gates ${LATER_GATE_KINDS.join(", ")}.`,
    ...z.toJSONSchema(whole, { io: "input", target: "draft-07" }),
  };
}
