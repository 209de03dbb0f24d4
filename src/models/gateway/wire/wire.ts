import type { Protocol } from "../contract.ts";
import type { InputTokens, Tokens } from "../prices.ts";

export type Json = Readonly<Record<string, unknown>>;

/** What a call asks of the upstream, after the agent's request was read and brought within its limits. */
export interface PreparedCall {
  /** As the agent called it; put back in the answers. */
  askedModel: string;
  /** As the upstream is asked, and the bill priced. */
  model: string;
  stream: boolean;
  /** The agent wants the usage told. */
  wantsUsage: boolean;
  /** Most output tokens the call can come to, over all its choices. */
  maxOutputTokens: number;
  /** What of the input the upstream may write into its cache, for five minutes or an hour: such tokens cost more. */
  cacheWrites: "none" | "short" | "long";
  /** It may buy something beside tokens, which no figure tells: its money is unknown. */
  isUnpriced: boolean;
  /** For the upstream. */
  body: Json;
}

export type Prepared = { ok: true; call: PreparedCall } | { ok: false; message: string; param: string | null };

/** The frame an agent's request is brought into. */
export interface Limits {
  provider: string;
  /** The one model agreed on; `undefined` in pass-through, where the agent's own choice goes out. */
  model: string | undefined;
  /** Most output tokens of a call. */
  cap: number;
  /** Model and streaming, where the path says them. */
  path?: { model: string; stream: boolean };
  /** Tools that the provider runs itself, beside tokens paid for: left in, or taken out (refused when nothing else is asked for). */
  providerTools: "keep" | "take-out";
}

/** Reads what passes in one answer: the usage the upstream reports, and what was said, for the case that it reports none. */
export interface Meter {
  /** Takes a stream chunk or a whole answer. */
  take(answer: Json): void;
  /** The whole call's, as reported by the upstream. */
  readonly reported: Tokens | undefined;
  /** The input's, where they are told before the end. */
  readonly input: InputTokens | undefined;
  /** The answer came to its own end. */
  readonly isFinished: boolean;
  /** Output tokens counted from what passed. */
  countOutput(): number;
}

/** An error as the gateway words it, in every format. */
export interface ApiError {
  message: string;
  type: string;
  code: string | null;
  param: string | null;
}

/** One wire format: how its requests are limited, its answers metered, its errors worded. Pure. */
export interface Wire {
  readonly protocol: Protocol;
  prepare(asked: Json, limits: Limits): Prepared;
  meter(): Meter;
  /** The chunk or answer as the agent gets it: the same object, another, or nothing. */
  forAgent(answer: Json, call: PreparedCall): Json | undefined;
  /** What a chunk says has gone wrong. */
  problemIn(chunk: Json): string | undefined;
  error(status: number, error: ApiError): Json;
  /** An event that ends a stream with an error. */
  streamError(error: ApiError): string;
}

export const refuse = (message: string, param: string | null): Prepared => ({ ok: false, message, param });

export const isObject = (value: unknown): value is Json => typeof value === "object" && value !== null && !Array.isArray(value);

export const objectOf = (value: unknown): Json => (isObject(value) ? value : {});

export const objects = (value: unknown): Json[] => (Array.isArray(value) ? value.filter(isObject) : []);

export const isCount = (value: unknown): value is number => typeof value === "number" && Number.isSafeInteger(value) && value >= 0;

export const countOf = (value: unknown): number => (isCount(value) ? value : 0);

export const textIn = (value: unknown): string => (typeof value === "string" ? value : "");

/** The smaller of the cap and what was asked for; `undefined`: what was asked for is no number of tokens. */
export function capped(asked: unknown, cap: number): number | undefined {
  if (asked === undefined || asked === null) return cap;
  return typeof asked === "number" && Number.isInteger(asked) && asked >= 1 ? Math.min(asked, cap) : undefined;
}

/** A problem of a chunk, cut to what a record may hold. */
export const shown = (error: unknown): string => `reported an error: ${JSON.stringify(error).slice(0, 500)}`;

export const providerToolRefused = (name: string): string =>
  `${name} is not supported yet: the provider charges for it beside tokens, and the gateway cannot meter that. Switch it off in the agent.`;

/** A part of an answer with the model called as the agent called it, where it names one; the very part when nothing changes. */
export const calledAs = (part: Json, model: string): Json => ("model" in part && part.model !== model ? { ...part, model } : part);

/** The model of a request: as the agent called it, and as the upstream is asked. `undefined`: it names none, and none was agreed on. */
export function modelsOf(body: Json, agreed: string | undefined): { askedModel: string; model: string } | undefined {
  const askedModel = textIn(body.model) || agreed;
  return askedModel === undefined ? undefined : { askedModel, model: agreed ?? askedModel };
}
