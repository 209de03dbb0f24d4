import type { ProviderState } from "../../models/index.ts";
import { clockTime, cut } from "./format.ts";

/** `openai (https://api.openai.com) keeps failing, and is asked again at 12:03:01; the last: HTTP 503 ...`. */
export function providerText({ provider, origin, breaker, openUntil, lastFailure, limits }: ProviderState, now: number): string {
  const asked = openUntil !== undefined && openUntil > now ? `is asked again at ${clockTime(openUntil)}` : "is asked with the next call";
  const failing = breaker === "closed" ? [] : [`keeps failing, and ${asked}${lastFailure ? `; the last: ${cut(lastFailure, 160)}` : ""}`];
  const limited = limits.map(({ model, until }) => `has met a limit (${model}) until ${clockTime(until)}`);
  return `${provider} (${origin}) ${[...failing, ...limited].join(", ")}`;
}
