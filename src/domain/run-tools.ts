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
  /** Of one attempt. */
  reports: 300,
  /** Between two reports of an attempt that are kept. */
  reportEveryMs: 2_000,
  /** Facts written by one attempt. */
  puts: 500,
  /** Keys of a run's blackboard. */
  keys: 256,
  /** One value, bytes of its JSON. */
  valueBytes: 16 * 1024,
  /** All of a run's blackboard. */
  boardBytes: 512 * 1024,
} as const;

const Key = z.string().regex(/^[A-Za-z0-9_.:/-]{1,128}$/, "a key is 1 to 128 letters, digits and . _ : / -");

/** By name: what a model is told of the tool, and what it takes. */
export const runTools = {
  ask: {
    description:
      "Ask the people who watch over this run, and wait for their answer. It may take minutes or hours: ask only what you cannot find out, and what must not be guessed. Give choices where the answer is one of a few. If the call breaks off before there was an answer, call it again with the same words.",
    input: z.object({
      question: z.string().trim().min(1).max(4_000),
      choices: z
        .array(z.string().trim().min(1).max(200))
        .min(2)
        .max(10)
        .optional()
        .describe("The answer is one of these; absent: any text"),
    }),
  },
  report: {
    description:
      "Tell the people who watch this run how far you are. It does not wait and changes nothing. Not more than once in a few seconds.",
    input: z.object({
      text: z.string().trim().min(1).max(1_000),
      percent: z.number().min(0).max(100).optional().describe("How much of the work is done"),
      phase: z.string().trim().min(1).max(60).optional().describe("What you are at, in a word or two"),
    }),
  },
  blackboard_get: {
    description:
      "Read facts that agents of other steps of this run have shared: one key, those that begin with a prefix, or all. Answers their values and versions.",
    input: z.object({ key: Key.optional(), prefix: z.string().max(128).optional() }),
  },
  blackboard_put: {
    description:
      "Share a fact with the agents of other steps of this run, under a key. The last one counts. With expect it is written only if the key has that version now (0: there is none).",
    input: z.object({
      key: Key,
      // Not z.json(): a schema that refers to itself is more than some models' endpoints take.
      value: z.unknown().describe("Any JSON, at most 16 KiB"),
      expect: z.number().int().nonnegative().optional(),
    }),
  },
} as const;

export type RunTool = keyof typeof runTools;
export type RunToolInput<T extends RunTool> = z.infer<(typeof runTools)[T]["input"]>;

export const isRunTool = (name: string): name is RunTool => Object.hasOwn(runTools, name);
