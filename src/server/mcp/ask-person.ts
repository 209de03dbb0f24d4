import { inputRequired, inputResponse, type ElicitRequestFormParams, type InputRequiredResult } from "@modelcontextprotocol/server";
import type { z } from "zod";
import type { Form } from "./deciding.ts";
import type { Call } from "./tool.ts";

/** What came of putting a form to the client's person. */
export type Reply =
  | { kind: "filled"; content: unknown }
  /** They closed it, said no, or the client could not show it. */
  | { kind: "unanswered" };

/**
 * A person may take long. 2026's clients end the call, ask, and call again with the reply and with what they were given to keep (`carry`, which
 * is sealed). 2025's clients are asked while the call goes on.
 */
export type Asked = { kind: "replied"; reply: Reply } | { kind: "calls-again"; result: InputRequiredResult };

const KEY = "decision";
/** In milliseconds: a form that was left open overnight ends the call. */
const PATIENCE_MS = 3_600_000;
/** Many clients give a call up of which they hear nothing for a minute. */
const ALIVE_MS = 5000;

export async function askPerson(call: Call, form: Form, carry: unknown): Promise<Asked> {
  const { ctx, caller } = call;
  if (caller.asks === "between-calls") {
    const requestState = await call.mint(carry);
    return { kind: "calls-again", result: inputRequired({ inputRequests: { [KEY]: inputRequired.elicit(form) }, requestState }) };
  }
  const alive = setInterval(() => call.say("the person at this client is asked"), ALIVE_MS);
  try {
    const params: ElicitRequestFormParams = { mode: "form", ...form };
    // oxlint-disable-next-line typescript/no-deprecated -- the only way to ask a client of 2025 so that its failing leaves the call alive
    const { action, content } = await ctx.mcpReq.elicitInput(params, { timeout: PATIENCE_MS, signal: ctx.mcpReq.signal });
    return { kind: "replied", reply: action === "accept" ? { kind: "filled", content } : { kind: "unanswered" } };
  } catch (error) {
    if (ctx.mcpReq.signal.aborted) throw error;
    return { kind: "replied", reply: { kind: "unanswered" } };
  } finally {
    clearInterval(alive);
  }
}

/** What a call brings along that was sent to ask. `undefined`: a first call. */
export function broughtBack<State>({ ctx }: Call, state: z.ZodType<State>): { state: State; reply: Reply } | undefined {
  const { inputResponses } = ctx.mcpReq;
  const kept = state.safeParse(ctx.mcpReq.requestState());
  if (inputResponses === undefined || !kept.success) return undefined;
  const view = inputResponse(inputResponses, KEY);
  const isFilled = view.kind === "elicit" && view.action === "accept";
  return { state: kept.data, reply: isFilled ? { kind: "filled", content: view.content } : { kind: "unanswered" } };
}
