import type { Called } from "./contract.ts";
import { MOST_BYTES } from "./run-program.ts";

const MOST_WORDS = 500;

export interface Post {
  url: string;
  headers: Readonly<Record<string, string>>;
  body: unknown;
  /** What it answers is read; else its status is all that counts. */
  isAsked: boolean;
  until: AbortSignal;
  timedOut: string;
}

/** Sends JSON. Success is a status of 2xx. */
export async function post({ url, headers, body, isAsked, until, timedOut }: Post, mask: (text: string) => string): Promise<Called> {
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json", "user-agent": "stepfall", ...headers },
      body: JSON.stringify(body),
      // Headers hold secrets: they go to the address that was given, and nowhere else.
      redirect: "manual",
      signal: until,
    });
    if (response.ok && !isAsked) {
      // It has taken it. Whatever else it says, however slowly, does not make that undone.
      await response.body?.cancel().catch(() => undefined);
      return { kind: "answered", code: 0, body: "", isCut: false };
    }
    const { text, isCut } = await beginningOf(response);
    if (response.ok) return { kind: "answered", code: 0, body: mask(text), isCut };
    if (response.status >= 300 && response.status < 400)
      return { kind: "failed", detail: `HTTP ${response.status}: it leads elsewhere, and is not followed; write the new address` };
    const words = mask(text).trim().slice(0, MOST_WORDS);
    return { kind: "failed", detail: `HTTP ${response.status}${words && `: ${words}`}` };
  } catch (error) {
    if (until.aborted) return { kind: "failed", detail: timedOut };
    return { kind: "failed", detail: mask(`${error instanceof Error ? error.message : String(error)}${causeOf(error)}`) };
  }
}

function causeOf(error: unknown): string {
  if (!(error instanceof Error) || !(error.cause instanceof Error)) return "";
  const { message, code } = error.cause as NodeJS.ErrnoException;
  return `: ${message || (code ?? error.cause.name)}`;
}

async function beginningOf(response: Response): Promise<{ text: string; isCut: boolean }> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const bytes of response.body ?? []) {
    text += decoder.decode(bytes as Uint8Array, { stream: true });
    if (text.length > MOST_BYTES) return { text: text.slice(0, MOST_BYTES), isCut: true };
  }
  return { text, isCut: false };
}
