import { z } from "@hono/zod-openapi";

/** Money is in millionths of a dollar, times are epoch milliseconds. */
export const MicroUsd = z.number().int().openapi({ description: "Millionths of a US dollar" });
export const Time = z.number().openapi({ description: "Epoch milliseconds" });
export const Ms = z.number().openapi({ description: "Milliseconds" });

export const Problem = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.number().int(),
    detail: z.string(),
    /** Of the error, as commands print it. */
    code: z.string(),
    /** What to do. */
    hint: z.string(),
    /** Of a file or a request: each fault with its place. */
    problems: z.array(z.looseObject({ message: z.string() })).optional(),
  })
  .openapi("Problem", { description: "RFC 9457 problem details" });

export const ShownStatus = z.enum(["running", "stopped", "budget", "waiting", "succeeded", "failed", "cancelled"]).openapi("RunStatus");
export const Outcome = z.enum(["succeeded", "failed", "cancelled"]);

export const QueueDepth = z
  .object({ queued: z.number().int(), running: z.number().int(), oldestWaitMs: Ms.optional() })
  .openapi("QueueDepth");

export const QuotaWait = z.object({ provider: z.string(), until: Time });

export const Liveness = z
  .object({
    kind: z.literal("liveness"),
    at: Time,
    attempt: z.string(),
    step: z.string(),
    state: z.enum(["running", "idle", "stuck", "unknown", "dead"]),
    since: Time,
    evidence: z.array(z.string()),
    risk: z
      .object({
        score: z.number(),
        factors: z.array(
          z.object({
            name: z.enum(["repetition", "burn", "silence"]),
            value: z.number(),
            weight: z.number(),
            evidence: z.array(z.string()),
          }),
        ),
        leftOut: z.array(z.object({ name: z.string(), because: z.string() })),
      })
      .optional(),
  })
  .openapi("Liveness");

export const ProviderState = z
  .object({
    provider: z.string(),
    origin: z.string(),
    breaker: z.enum(["closed", "open", "half-open"]),
    failuresInRow: z.number().int(),
    openUntil: Time.optional(),
    lastFailure: z.string().optional(),
    limits: z.array(z.object({ model: z.string(), until: Time })),
  })
  .openapi("ProviderState");

export const KnownProject = z.object({ path: z.string(), name: z.string() }).openapi("Project");

export const Slots = z.object({ busy: z.number().int(), total: z.number().int() });

/** A number in a query. */
export const Count = (most: number) => z.coerce.number().int().min(0).max(most).openapi({ type: "integer" });
