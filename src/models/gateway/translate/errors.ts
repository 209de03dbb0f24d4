import type { Protocol } from "../contract.ts";
import { isObject, objectOf, textIn, type Json } from "../wire/wire.ts";

/** What an error is about, by its status; the sentences of the formats' own clients hang on it. */
interface Told {
  status: number;
  message: string;
  code: string | undefined;
  isTooLong: boolean;
}

const tooLong = /context_length_exceeded|maximum context length|prompt is too long|context window|exceeds the maximum number of tokens/i;

function told(status: number, upstream: Json): Told {
  const error = isObject(upstream.error) ? upstream.error : upstream;
  const message = textIn(upstream.error) || textIn(error["message"]) || `The model's provider answered HTTP ${status}.`;
  const code = textIn(error["code"]) || textIn(error["type"]) || textIn(error["status"]) || undefined;
  return { status, message, code, isTooLong: status < 500 && tooLong.test(`${code} ${message}`) };
}

/** An upstream's error as an agent of another format reads it: same sentence, the agent's own words for its kind. */
export function errorFor(agent: Protocol, status: number, upstream: Json): Json {
  const { message, code, isTooLong } = told(status, objectOf(upstream));
  switch (agent) {
    case "chat":
    case "responses":
      return {
        error: {
          message,
          type: openAiTypes[status] ?? (status < 500 ? "invalid_request_error" : "server_error"),
          code: isTooLong ? "context_length_exceeded" : (code ?? null),
          param: null,
        },
      };
    case "messages": {
      const type = anthropicTypes[status] ?? (status < 500 ? "invalid_request_error" : "api_error");
      // Its clients make the conversation shorter when they read this.
      const said = isTooLong && !message.startsWith("prompt is too long") ? `prompt is too long: ${message}` : message;
      return { type: "error", error: { type, message: said } };
    }
    case "gemini":
      return { error: { code: status, message, status: googleStatuses[status] ?? (status < 500 ? "INVALID_ARGUMENT" : "INTERNAL") } };
    default:
      return agent satisfies never;
  }
}

const openAiTypes: Readonly<Record<number, string>> = {
  401: "authentication_error",
  403: "permission_error",
  404: "not_found_error",
  429: "rate_limit_error",
};

const anthropicTypes: Readonly<Record<number, string>> = {
  401: "authentication_error",
  402: "billing_error",
  403: "permission_error",
  404: "not_found_error",
  413: "request_too_large",
  429: "rate_limit_error",
  503: "overloaded_error",
  504: "timeout_error",
  529: "overloaded_error",
};

const googleStatuses: Readonly<Record<number, string>> = {
  401: "UNAUTHENTICATED",
  403: "PERMISSION_DENIED",
  404: "NOT_FOUND",
  429: "RESOURCE_EXHAUSTED",
  503: "UNAVAILABLE",
  504: "DEADLINE_EXCEEDED",
  529: "UNAVAILABLE",
};
