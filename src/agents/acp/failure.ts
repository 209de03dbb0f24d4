import { RequestError } from "@agentclientprotocol/sdk";
import type { ExecutionResult, Exit } from "../contract.ts";
import { goneWithoutAnswer } from "../gone.ts";
import type { LastLines } from "../last-lines.ts";

type Failed = Extract<ExecutionResult, { kind: "failed" }>;

const budget = /budget_exhausted|\bThe budget \S+ cannot carry this call/;
const provider =
  /\b(?:401|402|403|408|429|5\d\d)\b|authenticat|unauthori[sz]ed|api[ _-]?key|rate.?limit|\bquota\b|overloaded|ECONNREFUSED|ECONNRESET|ENOTFOUND|fetch failed|\bterminated\b|connection error|stream disconnected|model_without_price|\bapi ?error\b/i;
/** How agents begin a message that is the failure of a model call and not an answer. */
const errorText =
  /^(?:info: request failed[^.]*\. retrying\.*)*\W*(?:api error\b|failed to authenticate|invalid api key|unexpected status \d{3}|stream disconnected|exceeded retry limit|error: (?:\d{3}\b|failed to get response|authentication failed|.{0,200}\(HTTP \d{3}\))|\d{3} status code)/i;
/** JSON-RPC's code for "log in first". */
const AUTH_REQUIRED = -32_000;

/** Whose fault a message of an agent's tells: a budget's, or the way to the model. `undefined`: the agent's. */
function blame(text: string): "budget" | "provider" | undefined {
  return budget.test(text) ? "budget" : provider.test(text) ? "provider" : undefined;
}

/** A request that the agent answered with an error. */
export function requestFailure(error: unknown): Failed {
  if (!(error instanceof RequestError)) return { kind: "failed", because: "agent", message: (error as Error).message };
  const data = error.data === undefined ? "" : typeof error.data === "string" ? error.data : JSON.stringify(error.data);
  const message = data === "" || error.message.includes(data) ? error.message : `${error.message}: ${data.slice(0, 2000)}`;
  if (error.code === AUTH_REQUIRED) return { kind: "failed", because: "provider", message: `it asks for a login: ${message}` };
  return { kind: "failed", because: blame(message) ?? "agent", message };
}

/**
 * A turn that ended in good order, with the error of a model call for an answer: some agents print it as their message and
 * say they are done. Only a whole message that begins like one is taken for that; the rest is judged by the gates.
 */
export function failureInWords(message: string, hasSystemError: boolean): Failed | undefined {
  if (!hasSystemError && (!errorText.test(message) || message.length > 4000)) return undefined;
  return { kind: "failed", because: blame(message) ?? "provider", message };
}

/** Why a turn ended, when that is not an end in good order. */
export function stopFailure(reason: string, message: string): Failed | undefined {
  const said = message === "" ? "" : `. It said: ${message.slice(0, 2000)}`;
  switch (reason) {
    case "end_turn":
      return undefined;
    case "refusal":
      return { kind: "failed", because: "agent", message: `it refused to go on${said}` };
    case "max_tokens":
      return { kind: "failed", because: "agent", message: `its answer was cut at the most tokens of one answer${said}` };
    case "max_turn_requests":
      return { kind: "failed", because: "agent", message: `it used up its calls of the model for one turn${said}` };
    case "cancelled":
      return { kind: "failed", because: "agent", message: `it stopped by itself and said "cancelled"${said}` };
    default:
      return { kind: "failed", because: "agent", message: `it stopped because of ${JSON.stringify(reason)}${said}` };
  }
}

/** A process that is gone without an answer. */
export const exitFailure = (exit: Exit, noise: LastLines, deadlineMs: number): ExecutionResult =>
  goneWithoutAnswer(exit, noise.isEmpty ? "" : noise.text, deadlineMs);
