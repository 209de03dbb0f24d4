import { isObject, objectOf, objects, type Json } from "../wire/wire.ts";
import { momentInWords, spanInWords } from "./time-in-words.ts";

/** An answer that says that an account has used up what it may. */
export interface Limit {
  /** Epoch ms when it may ask again; `undefined`: nobody says, or it is no matter of time. */
  until: number | undefined;
  /** Where the time was read, for people: `retry-after`, ... */
  source: string;
}

export interface ErrorAnswer {
  status: number;
  header(name: string): string | undefined;
  /** The body, where it is JSON. */
  json?: Json | undefined;
  /** What it says. */
  message: string;
}

/** 529: Anthropic's "overloaded". 402: money is used up, which no waiting brings back. */
const limitStatuses = new Set([402, 429, 529]);
/** Errors that are limits whatever their status: OpenAI's, ChatGPT's plans', Anthropic's, Gemini's. */
const limitNames =
  /^(?:rate_limit_(?:error|exceeded)|usage_limit_(?:reached|exceeded)|insufficient_quota|resource_exhausted|overloaded_error|tokens_usage_based)$/i;
/** Limits that money lifts and time does not, whatever times come with them. */
const moneyNames = /^(?:insufficient_quota|billing_hard_limit_reached|usage_not_included)$/i;

type Source = readonly [name: string, read: (answer: ErrorAnswer, now: number) => number | undefined];

/**
 * Where answers say when a limit is over, the surest first:
 *
 * - `retry-after-ms`, `retry-after` (RFC 9110, 10.2.3: seconds or a date): OpenAI and Azure, Anthropic, most others
 * - ChatGPT's plans (the Codex endpoint): `resets_at`, `resets_in_seconds` in the error, `x-codex-primary-reset-at` in the headers
 * - Gemini: `google.rpc.RetryInfo` among the error's details (google/rpc/error_details.proto)
 * - Anthropic: `anthropic-ratelimit-unified-reset` (logins, epoch seconds), `anthropic-ratelimit-{requests,tokens,...}-reset` (RFC 3339)
 * - OpenAI: `x-ratelimit-reset-{requests,tokens}` (spans such as `6m0s`); others: `x-ratelimit-reset`, in seconds or as a moment
 * - words: "Please try again in 41.724s" (OpenAI, Groq), "Please retry in 47.4s" (Gemini), "usage limit reached|1749924000" and
 *   "resets 11:20am (Europe/Budapest)" (Claude Code), "try again at ..." (Codex)
 */
const sources: readonly Source[] = [
  ["retry-after-ms", ({ header }, now) => after(now, Number(header("retry-after-ms") ?? Number.NaN))],
  ["retry-after", ({ header }, now) => retryAfter(header("retry-after"), now)],
  ["resets_at", ({ json }) => moment(objectOf(json?.["error"])["resets_at"])],
  ["resets_in_seconds", ({ json }, now) => after(now, seconds(objectOf(json?.["error"])["resets_in_seconds"]))],
  ["RetryInfo", ({ json }, now) => retryInfo(json, now)],
  ["x-codex-primary-reset-at", ({ header }) => moment(header("x-codex-primary-reset-at"))],
  ["anthropic-ratelimit-unified-reset", ({ header }) => moment(header("anthropic-ratelimit-unified-reset"))],
  [
    "anthropic-ratelimit-*-reset",
    ({ header }) =>
      latest(
        header,
        ["requests", "tokens", "input-tokens", "output-tokens"],
        (kind, part) => `anthropic-ratelimit-${kind}-${part}`,
        moment,
      ),
  ],
  [
    "x-ratelimit-reset-*",
    ({ header }, now) =>
      latest(
        header,
        ["requests", "tokens"],
        (kind, part) => `x-ratelimit-${part}-${kind}`,
        (text) => after(now, spanInWords(text)),
      ),
  ],
  ["x-ratelimit-reset", ({ header }, now) => moment(header("x-ratelimit-reset"), now)],
  ["its message", ({ message }, now) => momentInWords(message, now)],
];

/** Times further off are taken for a mistake. */
const furthestMs = 40 * 86_400_000;

/** Whether an answer tells of a limit, and until when. Pure; `now` is epoch ms. */
export function limitIn(answer: ErrorAnswer, now: number): Limit | undefined {
  const names = namesIn(answer.json);
  if (!limitStatuses.has(answer.status) && !(answer.status >= 400 && names.some((name) => limitNames.test(name)))) return undefined;
  if (answer.status === 402 || names.some((name) => moneyNames.test(name))) return { until: undefined, source: "money" };
  for (const [source, read] of sources) {
    const until = read(answer, now);
    if (until !== undefined && Number.isFinite(until) && until < now + furthestMs)
      return { until: Math.max(Math.ceil(until), now), source };
  }
  return { until: undefined, source: "nowhere" };
}

/** The same of the words of an agent that asks without us: only what is certainly about a limit. */
export function limitInWords(message: string, now: number): number | undefined {
  if (
    !/\b(?:usage|rate|session|weekly|daily|message)[ -]limit|\bquota\b|\bhit your limit|too many requests|RESOURCE_EXHAUSTED/i.test(message)
  )
    return undefined;
  const until = momentInWords(message, now);
  return until !== undefined && until < now + furthestMs ? until : undefined;
}

/** What an error is called, in any of the formats. */
function namesIn(json: Json | undefined): string[] {
  const error = json?.["error"];
  if (!isObject(error)) return [];
  return [error.type, error.code, error.status, error.error_type].filter((name): name is string => typeof name === "string");
}

const after = (now: number, ms: number | undefined): number | undefined =>
  ms !== undefined && Number.isFinite(ms) && ms >= 0 ? now + ms : undefined;

const seconds = (value: unknown): number => (typeof value === "number" || typeof value === "string" ? Number(value) * 1000 : Number.NaN);

function retryAfter(text: string | undefined, now: number): number | undefined {
  if (text === undefined || text.trim() === "") return undefined;
  const inSeconds = after(now, Number(text) * 1000);
  const date = inSeconds ?? Date.parse(text);
  return Number.isNaN(date) ? undefined : date;
}

/** Epoch seconds, epoch milliseconds or an RFC 3339 date; with `now`, small numbers are seconds from then. */
function moment(value: unknown, now?: number): number | undefined {
  if (typeof value !== "string" && typeof value !== "number") return undefined;
  const text = String(value).trim();
  if (text === "") return undefined;
  const number = Number(text);
  if (Number.isNaN(number)) {
    const date = Date.parse(text);
    return Number.isNaN(date) ? undefined : date;
  }
  if (number > 1e12) return number;
  if (number > 1e9) return number * 1000;
  return now === undefined ? undefined : after(now, number * 1000);
}

function retryInfo(json: Json | undefined, now: number): number | undefined {
  const info = objects(objectOf(json?.["error"]).details).find((detail) => String(detail["@type"]).endsWith("google.rpc.RetryInfo"));
  return typeof info?.retryDelay === "string" ? after(now, spanInWords(info.retryDelay)) : undefined;
}

/** Of several limits those count of which nothing remains, or all where that is not told: the latest of their ends. */
function latest<K extends string>(
  header: ErrorAnswer["header"],
  kinds: readonly K[],
  name: (kind: K, part: "reset" | "remaining") => string,
  read: (text: string) => number | undefined,
): number | undefined {
  const told = kinds.flatMap((kind) => {
    const text = header(name(kind, "reset"));
    const until = text === undefined ? undefined : read(text);
    return until === undefined ? [] : [{ until, remaining: header(name(kind, "remaining")) }];
  });
  const usedUp = told.filter(({ remaining }) => remaining !== undefined && Number(remaining) <= 0);
  const counted = usedUp.length > 0 ? usedUp : told;
  return counted.length === 0 ? undefined : Math.max(...counted.map(({ until }) => until));
}
