import { z } from "zod";
import { duration } from "./yaml/fields.ts";
import { keyed } from "./yaml/shape-problems.ts";

/** The shapes of `fallback`, `prefer` and `quota` in the settings. */

export const FallbackShape = z.array(z.string().min(1).max(256)).max(20);

export const fallbackKeys = {
  fallback: FallbackShape.optional().describe(
    "Models that are asked when its own fails, as provider/model; default: the `fallback` of the file",
  ),
  prefer: z
    .enum(["own", "local", "given"])
    .optional()
    .describe("Who is asked first: own (default) its own model, then local ones; local all local ones; given in the order as written"),
};

export const QuotaShape = z.union([
  keyed(
    {
      "on-limit": z
        .enum(["failover", "wait", "fail"])
        .optional()
        .describe("For waits longer than `hold`: failover (default) asks the next model and waits where none is left; wait; fail"),
      hold: duration(0).optional().describe("How long a call is held for a limit without its agent noticing; default 60s"),
      most: duration(1_000).optional().describe("Longer waits are failures; default 6h"),
    },
    {
      of: "quota",
      synonyms: { onLimit: "on-limit", policy: "on-limit", mode: "on-limit", max: "most", "max-wait": "most", wait: "hold" },
    },
  ),
  z.literal("off"),
]);
