import { createHash } from "node:crypto";

const hex = (text: string, bytes: number): string =>
  createHash("sha256")
    .update(text)
    .digest("hex")
    .slice(0, bytes * 2);

/** One trace for each run, also when several engines drive it one after the other. */
export const traceIdOf = (runId: string): string => hex(`stepfall trace ${runId}`, 16);

export const spanIdOf = (kind: "run" | "step" | "attempt" | "gate" | "call", id: string): string => hex(`stepfall ${kind} ${id}`, 8);

/** W3C trace context for the agent of an attempt: what it traces itself hangs below its attempt. */
export const traceparentOf = (runId: string, attempt: string): string => `00-${traceIdOf(runId)}-${spanIdOf("attempt", attempt)}-01`;
