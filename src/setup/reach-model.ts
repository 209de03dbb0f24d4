import type { Preflight } from "../agents/index.ts";
import type { Upstream } from "../models/index.ts";

const LONGEST_MS = 10_000;

/**
 * Whether a model's endpoint can be reached and takes the key, by asking for its list of models, which costs nothing. An endpoint without
 * such a list passes: only a refused connection, no answer, or a refused key says that a run would fail.
 */
export async function reachModel({ provider, baseUrl, apiKey, headers }: Upstream, signal: AbortSignal): Promise<Preflight> {
  const url = `${baseUrl.replace(/\/+$/, "")}/models`;
  try {
    const answer = await fetch(url, {
      headers: { ...headers, ...(apiKey === undefined ? {} : keyHeaders(provider, apiKey)) },
      signal: AbortSignal.any([signal, AbortSignal.timeout(LONGEST_MS)]),
      redirect: "error",
    });
    await answer.body?.cancel();
    if (answer.status === 401 || answer.status === 403) {
      return {
        ok: false,
        problem: `the provider ${provider} refuses the key (HTTP ${answer.status} from ${url}).`,
        hint: "Check the key that its settings name.",
      };
    }
    return { ok: true, detail: `${url} answers HTTP ${answer.status}` };
  } catch (error) {
    const { cause } = error as { cause?: { code?: unknown; message?: unknown } };
    const why = [cause?.code, cause?.message, (error as Error).message].find((said) => typeof said === "string" && said !== "");
    return {
      ok: false,
      problem: `the model endpoint of ${provider} at ${baseUrl} cannot be reached (${String(why)}).`,
      hint: "Start it, or correct its URL.",
    };
  }
}

/** Anthropic's list of models takes its key the native way only; its OpenAI-compatible chat endpoint takes a bearer token. */
const keyHeaders = (provider: string, apiKey: string): Record<string, string> =>
  provider === "anthropic" ? { "x-api-key": apiKey, "anthropic-version": "2023-06-01" } : { authorization: `Bearer ${apiKey}` };
