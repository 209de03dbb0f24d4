import { z } from "@hono/zod-openapi";

/** What is asked for. Texts are bounded: what is said here goes into the journal. Without NUL, which neither a path nor a word of a command can hold. */
const text = (most: number) =>
  z
    .string()
    .max(most)
    .regex(/^[^\0]*$/, "must be without NUL");
const Text = text(20_000).min(1);
const Name = text(1_000).min(1);
const Dollars = z.number().positive().max(1_000_000).openapi({ description: "US dollars" });

export const StartRun = z
  .strictObject({
    /** A folder in the project, whole path. */
    project: Name,
    pipeline: z.union([z.strictObject({ file: Name }), z.strictObject({ yaml: text(500_000).min(1) })]),
    inputs: z.record(z.string().regex(/^[^=\s\0]{1,200}$/), text(20_000)).optional(),
    budget: Dollars.optional(),
    includeDirty: z.boolean().optional(),
  })
  .openapi("StartRun");

export const DoTasks = z
  .strictObject({
    project: Name,
    tasks: z.array(Text).min(1).max(200),
    gates: z.array(Text).max(50).optional(),
    noGates: z.boolean().optional(),
    agent: Name.optional(),
    budget: Dollars.optional(),
  })
  .openapi("DoTasks");

export const Cancel = z.strictObject({ reason: Text.optional() }).openapi("Cancel");
export const Resume = z.strictObject({ budget: Dollars.optional() }).openapi("Resume");
export const Feedback = z
  .strictObject({
    step: Name,
    attempt: z.number().int().min(1).optional(),
    verdict: z.enum(["right", "wrong"]),
    because: Text.optional(),
  })
  .openapi("Feedback");
export const Reassign = z.strictObject({ step: Name, agent: Name.optional(), because: Text.optional() }).openapi("Reassign");
export const SendMessage = z.strictObject({ step: Name, text: Text }).openapi("SendMessage");
/** `partial`: also the result of a run that failed or is not over. */
export const Merge = z.strictObject({ partial: z.boolean().optional() }).openapi("Merge");
/** Nothing is to be said: `{}`. */
export const Nothing = z.strictObject({}).openapi("Nothing");
export const Answer = z
  .strictObject({ item: Name, verdict: z.enum(["approve", "reject", "rework", "answer"]), text: Text.optional() })
  .openapi("Answer");
export const AskLink = z
  .strictObject({ role: z.enum(["viewer", "operator", "approver"]).optional(), to: Name.optional() })
  .openapi("AskLink");
