import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { APICallError, generateText, RetryError } from "ai";
import { z } from "zod";
import { costOf, type ModelPrice, type OpenKey } from "../../models/index.ts";
import type { Ask } from "./contract.ts";
import { JudgeError } from "./errors.ts";

/** Where a judge's model is reached: a key of its own at the gateway, because a key has one model. */
export interface JudgeModel extends Pick<OpenKey, "url" | "key" | "model"> {
  /** As in the key's upstream. `openai` is asked for a length in the field that its newer models take, all others in the older one. */
  provider?: string | undefined;
  /** For the figure in `JudgeAnswer`; the bill is the gateway's. Absent: the figure is left out. */
  price?: ModelPrice | undefined;
}

export interface GatewayAskOptions {
  /** By the judge's id. The caller opens the keys under the attempt that is judged, so that all is metered and billed there, and closes them. */
  models: ReadonlyMap<string, JudgeModel>;
  /** After a 429, a 5xx or a connection that fails, with growing waits. Default 3: a gateway that was killed is back within a few seconds. */
  maxRetries?: number | undefined;
  /** Of one question, all tries together. Default 2 minutes. */
  timeoutMs?: number | undefined;
}

/** Asks models through the gateway, in this process. */
export function createGatewayAsk({ models, maxRetries = 3, timeoutMs = 120_000 }: GatewayAskOptions): Ask {
  return async ({ judge, system, user, maxOutputTokens, signal }) => {
    const model = models.get(judge);
    if (!model) throw new JudgeError("JUDGE_UNKNOWN", `no model was handed in for judge ${judge}`, "Open a gateway key for every judge.");
    const provider = createOpenAICompatible({
      name: "gateway",
      baseURL: model.url,
      apiKey: model.key,
      ...(model.provider === "openai" ? { transformRequestBody: withNewerField } : {}),
    });
    const deadline = AbortSignal.timeout(timeoutMs);
    try {
      const { text, finishReason, usage } = await generateText({
        model: provider(model.model),
        instructions: system,
        prompt: user,
        maxOutputTokens,
        maxRetries,
        abortSignal: AbortSignal.any([signal, deadline]),
      });
      const { inputTokens, outputTokens, inputTokenDetails } = usage;
      const isPriced = model.price !== undefined && inputTokens !== undefined && outputTokens !== undefined;
      return {
        text,
        ...(finishReason === "length" ? { isCut: true } : {}),
        ...(isPriced
          ? { microUsd: costOf({ inputTokens, outputTokens, cachedInputTokens: inputTokenDetails.cacheReadTokens ?? 0 }, model.price) }
          : {}),
      };
    } catch (error) {
      if (signal.aborted) throw error;
      if (deadline.aborted)
        throw new JudgeError("JUDGE_PROVIDER", `no answer within ${Math.round(timeoutMs / 1000)} s`, "Ask a faster model.", {
          cause: error,
        });
      throw asJudgeError(error);
    }
  };
}

const withNewerField = ({ max_tokens, ...body }: Record<string, unknown>): Record<string, unknown> => ({
  ...body,
  max_completion_tokens: max_tokens,
});

const ErrorBody = z.object({ error: z.object({ message: z.string(), type: z.string().nullish(), code: z.string().nullish() }) });

function asJudgeError(error: unknown): JudgeError {
  const last = RetryError.isInstance(error) ? error.lastError : error;
  const { error: said } = bodyOf(APICallError.isInstance(last) ? last.responseBody : undefined) ?? {};
  const message = said?.message ?? (last instanceof Error ? last.message : String(last));
  if (said?.type === "budget_exhausted")
    return new JudgeError("JUDGE_BUDGET", message, "Raise the budget, or judge with fewer models.", { cause: last });
  const status = APICallError.isInstance(last) && last.statusCode !== undefined ? `HTTP ${last.statusCode}: ` : "";
  return new JudgeError("JUDGE_PROVIDER", `${status}${message}`, "Check that the judge's provider is up and its model exists.", {
    cause: last,
  });
}

function bodyOf(text: string | undefined): z.infer<typeof ErrorBody> | undefined {
  try {
    return ErrorBody.parse(JSON.parse(text ?? ""));
  } catch {
    return undefined;
  }
}
