const TRY_MS = 10_000;
const MOST_ANSWER = 10_000;
const MOST_WORDS = 200;

/** How one request ended. `rejected`: so many of what it held the receiver did not take. `because` is masked. */
export type Sent = { kind: "ok"; rejected: number } | { kind: "refused" | "unreachable"; because: string };

export interface Request {
  body: object;
  headers: Readonly<Record<string, string>>;
  mask: (text: string) => string;
  signal: AbortSignal;
}

/** One try. Never throws. */
export async function post(url: string, { body, headers, mask, signal }: Request): Promise<Sent> {
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json", "user-agent": "stepfall", ...headers },
      body: JSON.stringify(body),
      // Headers hold secrets: they go to the address that was given, and nowhere else.
      redirect: "manual",
      signal: AbortSignal.any([signal, AbortSignal.timeout(TRY_MS)]),
    });
    const text = await beginningOf(response);
    if (response.ok) return { kind: "ok", rejected: rejectedIn(text) };
    const words = mask(text).trim().slice(0, MOST_WORDS);
    const because = `HTTP ${response.status}${words && `: ${words}`}`;
    return { kind: [408, 429, 502, 503, 504].includes(response.status) ? "unreachable" : "refused", because };
  } catch (error) {
    return { kind: "unreachable", because: mask(whyOf(error)) };
  }
}

function whyOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (!(error.cause instanceof Error)) return error.message;
  const { message, code } = error.cause as NodeJS.ErrnoException;
  return message || (code ?? error.message);
}

async function beginningOf(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const bytes of response.body ?? []) {
    text += decoder.decode(bytes as Uint8Array, { stream: true });
    if (text.length > MOST_ANSWER) break;
  }
  return text;
}

/** What the receiver took is not all of it. Numbers of 64 bits are text in this format. */
function rejectedIn(text: string): number {
  try {
    const { partialSuccess: said } = JSON.parse(text) as { partialSuccess?: Record<string, unknown> };
    const rejected = Number(said?.["rejectedSpans"] ?? said?.["rejectedDataPoints"] ?? said?.["rejectedLogRecords"] ?? 0);
    return Number.isFinite(rejected) ? rejected : 0;
  } catch {
    return 0;
  }
}
