import { z } from "zod";
import type { LocalListing, LocalModel } from "./contract.ts";

/** A server on this machine answers in milliseconds; nobody should wait for one that is not there. */
const LONGEST_MS = 1_500;
const MOST_MODELS = 50;

const Models = z.object({ data: z.array(z.object({ id: z.string().min(1).max(256) })).nullable() });
/** Ollama's own word on a model: `tools` is what agents need. */
const Shown = z.object({ capabilities: z.array(z.string()) });

/** Names under which servers list models that answer no prompts. */
const NO_CHAT = /embed|rerank|whisper|(?:^|[-_/:])tts|diffusion/i;

/** By address: a server is asked once in the life of a process. */
const asked = new Map<string, Promise<LocalListing>>();

export interface LocalServer {
  /** `ollama` is asked by its own API, too, what its models can do. */
  provider: string;
  /** OpenAI-compatible base, ending in `/v1`. */
  url: string;
  apiKey?: string | undefined;
}

/** Which models a server offers. Does not throw: one that is not there is an answer. */
export function askLocal(server: LocalServer): Promise<LocalListing> {
  const key = `${server.provider} ${server.url}`;
  const before = asked.get(key);
  if (before) return before;
  const answer = list(server);
  asked.set(key, answer);
  return answer;
}

async function list(server: LocalServer): Promise<LocalListing> {
  const signal = AbortSignal.timeout(LONGEST_MS);
  const headers: Record<string, string> = server.apiKey === undefined ? {} : { authorization: `Bearer ${server.apiKey}` };
  try {
    const response = await fetch(`${server.url}/models`, { headers, signal, redirect: "error" });
    if (!response.ok) return { ok: false, problem: `${server.url}/models answers HTTP ${response.status}` };
    const parsed = Models.safeParse(await response.json());
    if (!parsed.success) return { ok: false, problem: `${server.url}/models is no list of models` };
    const ids = [...new Set((parsed.data.data ?? []).map((m) => m.id))].slice(0, MOST_MODELS);
    const models = ids.map(async (model): Promise<LocalModel> => {
      const unfit = NO_CHAT.test(model) ? "answers no prompts, by its name" : await unfitness(server, model, headers, signal);
      return unfit === undefined ? { model } : { model, unfit };
    });
    return { ok: true, models: await Promise.all(models) };
  } catch {
    return { ok: false, problem: `${server.url} does not answer` };
  }
}

/** Nothing where the server does not say: LocalAI, and Ollama before 0.6.4, have no such answer. */
async function unfitness(
  server: LocalServer,
  model: string,
  headers: Record<string, string>,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (server.provider !== "ollama") return undefined;
  try {
    const response = await fetch(new URL("/api/show", server.url), {
      method: "POST",
      headers: { ...headers, "content-type": "application/json" },
      body: JSON.stringify({ model }),
      signal,
      redirect: "error",
    });
    const shown = Shown.safeParse(await response.json());
    if (!response.ok || !shown.success || shown.data.capabilities.includes("tools")) return undefined;
    return "calls no tools, says the server";
  } catch {
    return undefined;
  }
}
