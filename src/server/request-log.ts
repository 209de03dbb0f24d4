import type { IncomingMessage, ServerResponse } from "node:http";
import type { Log } from "../logs/index.ts";
import type { Caller } from "./callers.ts";

/** Codes of refusals, for the log. */
const codes = new WeakMap<ServerResponse, string>();

/** Why a request is being refused. */
export function refusedFor(response: ServerResponse, code: string): void {
  codes.set(response, code);
}

/** What is said of refusals that a person may want to know of: somebody was not let in, or something went wrong. */
const WORTH_A_LINE: Readonly<Record<number, string>> = {
  401: "nobody that may come in",
  403: "not allowed",
  413: "too large",
  421: "called by another name",
  429: "too fast",
  500: "it failed",
  503: "too much is under way",
};

/** Has a refused or failed request told once it is over. Its query is not told: it may hold the secret of a link. */
export function logRequest(log: Log, request: IncomingMessage, response: ServerResponse, callerOf: () => Caller | undefined): void {
  response.once("close", () => {
    const status = response.headersSent ? response.statusCode : 0;
    const why = WORTH_A_LINE[status] ?? (status > 500 ? "failed" : undefined);
    if (why === undefined) return;
    const { method = "", url = "", headers } = request;
    const path = (url.split(/[?#]/, 1)[0] ?? "").slice(0, 200);
    const caller = callerOf();
    const data = {
      status,
      code: codes.get(response),
      method,
      path,
      role: caller?.role,
      actor: caller?.actor,
      origin: headers.origin?.slice(0, 200),
      host: status === 421 ? headers.host?.slice(0, 200) : undefined,
    };
    log[status >= 500 ? "error" : "warn"](`request-${status}`, `${method} ${path} was answered with ${status}: ${why}`, { data });
  });
}
