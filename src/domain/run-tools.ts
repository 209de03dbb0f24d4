import { z } from "zod";

/**
 * What an agent at work can ask of its run, through the MCP endpoint of its attempt or the built-in agent's own tools. Sizes are bounded: all of
 * it but reading ends up in the journal.
 */
export const runToolLimits = {
  /** Requests of one attempt that wait for their answer. */
  open: 16,
  /** Questions of one attempt. */
  questions: 30,
  /** Questions of all agents of a run that wait for people at a time. */
  questionsOfRun: 60,
  /** Of one attempt. */
  reports: 300,
  /** Between two reports of an attempt that are kept. */
  reportEveryMs: 2_000,
  /** Facts written by one attempt. */
  puts: 200,
  /** Keys of a run's blackboard. */
  keys: 256,
  /** One value, bytes of its JSON. */
  valueBytes: 16 * 1024,
  /** How deep a value's lists and objects lie in each other. */
  valueDepth: 32,
  /** All of a run's blackboard. */
  boardBytes: 512 * 1024,
  /** One answer of `blackboard_get`, characters: a model reads it. */
  answerCharacters: 24_000,
} as const;

/**
 * Models read these schemas with every call they are asked for, and whoever pays pays for it: what a bound is, they are told when they break it, not
 * before. Hence `refine`, which leaves no trace in JSON Schema.
 */
const text = (most: number) =>
  z
    .string()
    .trim()
    .refine((said) => said !== "" && said.length <= most, `is 1 to ${most} characters`);
const Key = z.string().refine((key) => /^[A-Za-z0-9_.:/-]{1,128}$/.test(key), "a key is 1 to 128 letters, digits and . _ : / -");

const isShallow = (value: unknown, depth: number): boolean =>
  typeof value !== "object" || value === null || (depth > 0 && Object.values(value).every((part) => isShallow(part, depth - 1)));

/** By name: what a model is told of the tool, and what it takes. */
export const runTools = {
  ask: {
    description:
      "Ask the people watching this run and wait for their answer, maybe for hours: only what you can neither find out nor decide. If the call breaks off, repeat it in the same words.",
    input: z.object({
      question: text(4_000),
      choices: z
        .array(text(200))
        .refine((choices) => choices.length >= 2 && choices.length <= 10, "are 2 to 10")
        .optional()
        .describe("2 to 10 possible answers; without: any text"),
    }),
  },
  report: {
    description: "Tell the people watching this run how far you are, now and then.",
    input: z.object({
      text: text(1_000),
      percent: z
        .number()
        .refine((n) => n >= 0 && n <= 100, "is 0 to 100")
        .optional(),
      phase: text(60).optional(),
    }),
  },
  blackboard_get: {
    description: "Read facts shared by the agents of this run's steps, with their versions: one key, those with a prefix, or all.",
    input: z.object({ key: Key.optional(), prefix: z.string().optional() }),
  },
  blackboard_put: {
    description: "Share a fact with the agents of this run's other steps.",
    input: z.object({
      key: Key,
      // Not z.json(): a schema that refers to itself is more than some models' endpoints take.
      value: z
        .unknown()
        .refine((value) => isShallow(value, runToolLimits.valueDepth), `lies more than ${runToolLimits.valueDepth} levels deep`)
        .describe("Any JSON up to 16 KiB"),
      expect: z
        .number()
        .refine((n) => Number.isSafeInteger(n) && n >= 0, "is a version: 0, 1, 2, ...")
        .optional()
        .describe("Write only over this version; 0: only if new"),
    }),
  },
} as const;

export type RunTool = keyof typeof runTools;
export type RunToolInput<T extends RunTool> = z.infer<(typeof runTools)[T]["input"]>;

/** What a model is told a tool takes: JSON Schema without what it does not need. */
export function runToolSchema(tool: RunTool): { type: "object" } & Record<string, unknown> {
  const { $schema: _, ...schema } = z.toJSONSchema(runTools[tool].input, { io: "input" });
  return { ...schema, type: "object" };
}

export const isRunTool = (name: string): name is RunTool => Object.hasOwn(runTools, name);
