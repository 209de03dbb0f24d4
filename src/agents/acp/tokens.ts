import { z } from "zod";
import type { ReportedTokens } from "../contract.ts";

const count = z.number().int().nonnegative();
/** ACP's own (unstable) place for the tokens of a prompt. */
const Usage = z.looseObject({
  inputTokens: count,
  outputTokens: count,
  cachedReadTokens: count.nullish(),
  cachedWriteTokens: count.nullish(),
});
/** Gemini's place. */
const Quota = z.looseObject({ token_count: z.looseObject({ input_tokens: count, output_tokens: count }) });
const Response = z.looseObject({
  usage: Usage.nullish().catch(undefined),
  _meta: z
    .looseObject({ quota: Quota.nullish().catch(undefined) })
    .nullish()
    .catch(undefined),
});

/** Of several prompts of one session. */
export const sumOf = (a: ReportedTokens | undefined, b: ReportedTokens | undefined): ReportedTokens | undefined =>
  a && b
    ? {
        calls: a.calls + b.calls,
        inputTokens: a.inputTokens + b.inputTokens,
        cachedInputTokens: a.cachedInputTokens + b.cachedInputTokens,
        outputTokens: a.outputTokens + b.outputTokens,
      }
    : (a ?? b);

/**
 * Tokens of one prompt, as its answer says. `calls` counts reports, not calls of a model: ACP does not tell those.
 * `inputIncludesCached`: what the agent's input tokens mean; `undefined`: what it says is not to be counted on.
 */
export function tokensOf(response: unknown, inputIncludesCached: boolean | undefined): ReportedTokens | undefined {
  const parsed = Response.safeParse(response).data;
  if (!parsed || inputIncludesCached === undefined) return undefined;
  const { usage } = parsed;
  if (usage) {
    const cached = usage.cachedReadTokens ?? 0;
    const extra = inputIncludesCached ? 0 : cached + (usage.cachedWriteTokens ?? 0);
    return { calls: 1, inputTokens: usage.inputTokens + extra, cachedInputTokens: cached, outputTokens: usage.outputTokens };
  }
  const quota = parsed._meta?.quota?.token_count;
  // Cached tokens are among them and not told apart.
  return quota && { calls: 1, inputTokens: quota.input_tokens, cachedInputTokens: 0, outputTokens: quota.output_tokens };
}
