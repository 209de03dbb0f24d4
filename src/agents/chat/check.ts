import { z } from "zod";
import { patientFetch } from "./patient-fetch.ts";
import type { ChatMessage, ChatTask } from "./protocol.ts";

const CHECK_MS = 10_000;
/** A gateway that was killed is back within a second or two. */
const COMES_BACK_MS = 4_000;

/** Whether the gateway answers this key. Asks for the list of models, which costs nothing. */
export async function checkGateway(gateway: ChatTask["gateway"]): Promise<Extract<ChatMessage, { type: "done" | "failed" }>> {
  if (!gateway) return { type: "done", summary: "the chat agent starts; no gateway was given to try" };
  const url = `${gateway.url.replace(/\/+$/, "")}/models`;
  try {
    const ask = patientFetch(COMES_BACK_MS);
    const response = await ask(url, { headers: { authorization: `Bearer ${gateway.key}` }, signal: AbortSignal.timeout(CHECK_MS) });
    const text = await response.text();
    if (!response.ok)
      return { type: "failed", because: "provider", message: `${url} answered HTTP ${response.status}: ${text.slice(0, 300)}` };
    const listed = Models.safeParse(parse(text));
    if (!listed.success) return { type: "failed", because: "provider", message: `${url} did not answer with a list of models` };
    const names = listed.data.data.map((model) => model.id);
    if (names.includes(gateway.model)) return { type: "done", summary: `the gateway offers ${gateway.model}` };
    return { type: "done", summary: `the gateway answers; it does not list ${gateway.model}` };
  } catch (error) {
    const { message, cause } = error as Error;
    return {
      type: "failed",
      because: "provider",
      message: `${url} cannot be reached: ${cause instanceof Error ? cause.message : message}`,
    };
  }
}

const Models = z.object({ data: z.array(z.object({ id: z.string() })) });

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
