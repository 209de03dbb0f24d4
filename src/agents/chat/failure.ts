import { APICallError, RetryError } from "ai";
import { z } from "zod";

const ErrorBody = z.object({ message: z.string(), type: z.string().nullish() });
const BUDGET = "budget_exhausted";

export interface ModelFailure {
  because: "budget" | "provider";
  message: string;
}

/** Whose fault a failed model call is: the gateway's budget said no, or the provider (or the way to it) failed. */
export function classifyFailure(error: unknown): ModelFailure {
  if (RetryError.isInstance(error)) return classifyFailure(error.lastError);
  if (APICallError.isInstance(error)) {
    const body = bodyOf(error.responseBody);
    const message = body?.message ?? error.message;
    if (body?.type === BUDGET) return { because: "budget", message };
    const status = error.statusCode === undefined ? "no answer" : `HTTP ${error.statusCode}`;
    return { because: "provider", message: `${status}: ${withCause(message, error.cause)}` };
  }
  // An error that came within a stream keeps the type the endpoint gave it.
  const inStream = ErrorBody.safeParse(error);
  if (inStream.data?.type === BUDGET) return { because: "budget", message: inStream.data.message };
  if (error instanceof Error) return { because: "provider", message: withCause(error.message, error.cause) };
  return { because: "provider", message: inStream.data?.message ?? String(error) };
}

function bodyOf(text: string | undefined): z.infer<typeof ErrorBody> | undefined {
  try {
    return z.object({ error: ErrorBody }).parse(JSON.parse(text ?? "")).error;
  } catch {
    return undefined;
  }
}

const withCause = (message: string, cause: unknown): string =>
  cause instanceof Error && cause.message !== "" && !message.includes(cause.message) ? `${message} (${cause.message})` : message;
