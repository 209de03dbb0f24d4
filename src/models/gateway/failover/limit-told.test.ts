import { describe, expect, test } from "vitest";
import { objectOf, textIn, type Json } from "../wire/wire.ts";
import { limitIn, limitInWords } from "./limit-told.ts";
import { spanInWords } from "./time-in-words.ts";

const now = Date.parse("2026-07-10T09:30:20.000Z");
const SECOND = 1_000;
const MINUTE = 60_000;
const HOUR = 3_600_000;

const limit = (status: number, { headers = {}, json, message }: { headers?: Record<string, string>; json?: Json; message?: string } = {}) =>
  limitIn({ status, header: (name) => headers[name], json, message: message ?? textIn(objectOf(json?.["error"]).message) }, now);

describe("when a limit is over", () => {
  test.each<[string, Parameters<typeof limit>[1], number, string]>([
    ["seconds to wait", { headers: { "retry-after": "20" } }, 20 * SECOND, "retry-after"],
    ["a date", { headers: { "retry-after": "Fri, 10 Jul 2026 10:00:20 GMT" } }, 30 * MINUTE, "retry-after"],
    ["milliseconds, before anything else", { headers: { "retry-after-ms": "350", "retry-after": "1" } }, 350, "retry-after-ms"],
    [
      "a plan's reset, in epoch seconds",
      { json: { error: { type: "usage_limit_reached", message: "The limit is reached", resets_at: now / 1000 + 5 * 3600 } } },
      5 * HOUR,
      "resets_at",
    ],
    [
      "a plan's reset, in seconds from now",
      { json: { error: { type: "usage_limit_reached", resets_in_seconds: 90 } } },
      90 * SECOND,
      "resets_in_seconds",
    ],
    [
      "Gemini's RetryInfo among the details",
      {
        json: {
          error: {
            code: 429,
            status: "RESOURCE_EXHAUSTED",
            message: "You exceeded your current quota.",
            details: [
              { "@type": "type.googleapis.com/google.rpc.Help" },
              { "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: "38.5s" },
            ],
          },
        },
      },
      38.5 * SECOND,
      "RetryInfo",
    ],
    [
      "the login's window at Anthropic",
      { headers: { "anthropic-ratelimit-unified-reset": String(now / 1000 + 7200) } },
      2 * HOUR,
      "anthropic-ratelimit-unified-reset",
    ],
    [
      "of Anthropic's limits the one that is used up",
      {
        headers: {
          "anthropic-ratelimit-requests-remaining": "0",
          "anthropic-ratelimit-requests-reset": "2026-07-10T09:31:20Z",
          "anthropic-ratelimit-tokens-remaining": "80000",
          "anthropic-ratelimit-tokens-reset": "2026-07-10T11:30:20Z",
        },
      },
      MINUTE,
      "anthropic-ratelimit-*-reset",
    ],
    [
      "of OpenAI's limits the later, where nobody says which is used up",
      { headers: { "x-ratelimit-reset-requests": "1s", "x-ratelimit-reset-tokens": "6m0s" } },
      6 * MINUTE,
      "x-ratelimit-reset-*",
    ],
    ["a moment in epoch milliseconds", { headers: { "x-ratelimit-reset": String(now + 9_000) } }, 9 * SECOND, "x-ratelimit-reset"],
    ["a few seconds", { headers: { "x-ratelimit-reset": "12" } }, 12 * SECOND, "x-ratelimit-reset"],
    [
      "words of OpenAI's",
      { message: "Rate limit reached for m on tokens per min: Limit 10000, Used 8782. Please try again in 41.724s. See the page." },
      41_724,
      "its message",
    ],
    ["words with minutes", { message: "Please try again in 6m0.5s." }, 6 * MINUTE + 500, "its message"],
    ["words of Gemini's", { message: "Quota exceeded, limit: 4000000\nPlease retry in 47.43s." }, 47_430, "its message"],
    ["a stamp behind a bar", { message: `usage limit reached|${now / 1000 + 1800}` }, 30 * MINUTE, "its message"],
    [
      "a clock time elsewhere",
      { message: "You've hit your session limit · resets 2:45pm (Europe/Budapest)" },
      3 * HOUR + 15 * MINUTE - 20 * SECOND,
      "its message",
    ],
    [
      "a clock time that is tomorrow's",
      { message: "Your limit will reset at 11am (Europe/Budapest)." },
      23 * HOUR + 30 * MINUTE - 20 * SECOND,
      "its message",
    ],
  ])("is read from %s", (_, answer, ms, source) => {
    const read = limit(429, answer);
    expect(read).toEqual({ until: now + ms, source });
  });

  test("is not made up: no time, one in the far future, or one that nobody can read is none", () => {
    for (const headers of [{}, { "retry-after": "soon" }, { "retry-after": "99999999" }, { "x-ratelimit-reset-tokens": "-" }] as Record<
      string,
      string
    >[])
      expect(limit(429, { headers })).toEqual({ until: undefined, source: "nowhere" });
    expect(limit(429, { message: "Too many requests, slow down: 3 in 2 days" })?.until).toBeUndefined();
  });

  test("a time that is over already is now", () => {
    expect(limit(429, { headers: { "anthropic-ratelimit-unified-reset": String(now / 1000 - 500) } })?.until).toBe(now);
  });
});

test("money that is used up comes back at no time, whatever times come with it", () => {
  const json = { error: { code: "insufficient_quota", message: "You exceeded your quota" } };
  expect(limit(429, { headers: { "retry-after": "5" }, json })).toEqual({ until: undefined, source: "money" });
  expect(limit(402)).toEqual({ until: undefined, source: "money" });
});

test("what is a limit: 429, overload, and errors called so; a server that fails or a bad request is none", () => {
  expect(limit(529, { headers: { "retry-after": "3" } })?.until).toBe(now + 3 * SECOND);
  expect(limit(403, { json: { error: { type: "usage_limit_reached", resets_in_seconds: 60 } } })?.until).toBe(now + MINUTE);
  expect(limit(503, { headers: { "retry-after": "3" } })).toBeUndefined();
  expect(limit(400, { json: { error: { type: "invalid_request_error" } }, message: "try again in 5s" })).toBeUndefined();
});

test("an agent's own words are believed only when they are about a limit", () => {
  expect(limitInWords("You've hit your usage limit. Upgrade your plan, or try again at 2026-07-10T12:30:20Z.", now)).toBe(now + 3 * HOUR);
  expect(limitInWords(`Claude AI usage limit reached|${now / 1000 + 60}`, now)).toBe(now + MINUTE);
  expect(limitInWords("The tests failed; I will try again in 5 minutes", now)).toBeUndefined();
  expect(limitInWords("I hit your usage limit for files", now)).toBeUndefined();
});

test.each([
  ["20s", 20_000],
  ["6m0s", 360_000],
  ["1h2m3.5s", 3_723_500],
  ["250ms", 250],
  ["3 days", 259_200_000],
  ["5 minutes and 3 seconds", 303_000],
  ["20 apples", undefined],
  ["", undefined],
])("a span %s", (text, ms) => {
  expect(spanInWords(text)).toBe(ms);
});
