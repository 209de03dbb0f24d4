import { z } from "@hono/zod-openapi";

/** What is asked for. Texts are bounded: what is said here goes into the journal. */
const Text = z.string().min(1).max(20_000);
const Name = z.string().min(1).max(1_000);
const Dollars = z.number().positive().max(1_000_000).openapi({ description: "US dollars" });

export const StartRun = z
  .strictObject({
    /** A folder in the project, whole path. */
    project: Name,
    pipeline: z.union([z.strictObject({ file: Name }), z.strictObject({ yaml: z.string().min(1).max(500_000) })]),
    inputs: z.record(z.string().regex(/^[^=\s]{1,200}$/), z.string().max(20_000)).optional(),
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
export const Answer = z
  .strictObject({ item: Name, verdict: z.enum(["approve", "reject", "rework", "answer"]), text: Text.optional() })
  .openapi("Answer");
export const AskLink = z
  .strictObject({ role: z.enum(["viewer", "operator", "approver"]).optional(), to: Name.optional() })
  .openapi("AskLink");
