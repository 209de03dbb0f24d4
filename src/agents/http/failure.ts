import type { RemoteOutcome } from "./contract.ts";

type Failed = Extract<RemoteOutcome, { kind: "failed" }>;

/** An answer that is an error of HTTP and nothing else. */
export function httpFailure(status: number, body: string): Failed {
  const said = body.trim() === "" ? "" : `: ${body.trim().slice(0, 300)}`;
  const message = `the remote agent answered HTTP ${status}${said}`;
  if (status === 401 || status === 403) return { kind: "failed", because: "setup", message: `${message}. Check its token` };
  if (status === 429 || status === 503) return { kind: "failed", because: "provider", message };
  if (status >= 300 && status < 400)
    return { kind: "failed", because: "setup", message: `${message}. Redirects are not followed: give its real URL` };
  return { kind: "failed", because: status >= 500 ? "crash" : "agent", message };
}

const unreachable = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH", "ETIMEDOUT"]);

/** What was thrown on the way: a connection that could not be made or that broke, or an answer that is an error. */
export function thrownFailure(error: unknown, origin: string, lastStatus: number | undefined): Failed {
  const { code, message } = innermost(error);
  // What the network throws has a code in words, what the A2A library throws has none.
  if (code === undefined && lastStatus !== undefined && lastStatus >= 300) return httpFailure(lastStatus, message);
  if (code === undefined) return { kind: "failed", because: "agent", message: `the remote agent answered with an error: ${message}` };
  if (unreachable.has(code))
    return { kind: "failed", because: "setup", message: `the remote agent at ${origin} cannot be reached: ${message}` };
  if (code.startsWith("CERT_") || code.includes("SELF_SIGNED") || code.startsWith("UNABLE_TO"))
    return { kind: "failed", because: "setup", message: `the certificate of ${origin} is not trusted: ${message}` };
  return { kind: "failed", because: "crash", message: `the connection to the remote agent at ${origin} broke: ${message}` };
}

function innermost(error: unknown): { code?: string; message: string } {
  if (!(error instanceof Error)) return { message: String(error) };
  const { code, errors } = error as Error & { code?: unknown; errors?: unknown };
  if (Array.isArray(errors) && errors[0] instanceof Error) return innermost(errors[0]);
  if (typeof code !== "string" && error.cause instanceof Error) return innermost(error.cause);
  return { ...(typeof code === "string" ? { code } : {}), message: error.message };
}
