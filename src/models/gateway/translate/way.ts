import type { Protocol, Upstream } from "../contract.ts";
import type { Json, Wire } from "../wire/wire.ts";
import { wires, type Target } from "../wire/wires.ts";
import type { AgentEvent, Answers, Seals, Translation } from "./contract.ts";
import { translation } from "./translation.ts";

/** Whose formats are preferred where an upstream speaks several: a provider's own says more than the chat format it offers beside it. */
const preferred: readonly Protocol[] = ["messages", "gemini", "responses", "chat"];

/** Where an upstream speaks what. */
const basesOf = ({ bases, baseUrl }: Pick<Upstream, "bases" | "baseUrl">): NonNullable<Upstream["bases"]> => bases ?? { chat: baseUrl };

/** The format a call goes out in: the agent's own where the upstream speaks it. `undefined`: it speaks none. */
export function formatFor(agent: Protocol, spoken: readonly Protocol[]): Protocol | undefined {
  return spoken.includes(agent) ? agent : preferred.find((protocol) => spoken.includes(protocol));
}

/** How a request reaches an upstream. */
export interface Way {
  /** The upstream's format. */
  wire: Wire;
  base: string;
  body: Json;
  /** Model and streaming, where the upstream's path says them. */
  path: Target["path"];
  /** Below the base, with what must be asked in the query. */
  upstreamPath(model: string): string;
  /** What the answer needs; absent: it is passed as it is. */
  translated?: TranslatedCall | undefined;
}

export interface TranslatedCall extends Answers, Pick<Translation, "error"> {
  from: Protocol;
  to: Protocol;
  lost: readonly string[];
}

export interface WayOptions {
  cap: number;
  id: string;
  at: number;
  seals: Seals;
}

/** The way to an upstream that speaks another format than the agent. */
export function translatedWay(
  target: Target,
  asked: Json,
  upstream: Upstream,
  { cap, id, at, seals }: WayOptions,
): { ok: true; way: Way } | { ok: false; message: string; param: string | null } {
  const from = target.wire.protocol;
  const bases = basesOf(upstream);
  const to = formatFor(from, Object.keys(bases) as Protocol[]);
  const between = to && translation(from, to);
  if (!to || !between) return { ok: false, message: `The provider ${upstream.provider} speaks no format that is known.`, param: null };
  const { model, provider } = upstream;
  const made = between.request(asked, { model, maxOutputTokens: cap, id, at, provider, path: target.path, seals });
  if (!made.ok) {
    const sentence = `This call would have to be translated from ${from} to ${to} for the provider ${provider}, and cannot be. ${made.message}`;
    return { ok: false, message: sentence, param: made.param };
  }
  const { body, stream, lost, answers } = made;
  return {
    ok: true,
    way: {
      wire: wires[to],
      base: bases[to] ?? "",
      body,
      path: to === "gemini" ? { model, stream } : undefined,
      upstreamPath: (of) => pathOf(to, of, stream),
      translated: { ...answers, error: between.error, from, to, lost },
    },
  };
}

function pathOf(to: Protocol, model: string, stream: boolean): string {
  switch (to) {
    case "chat":
      return "/chat/completions";
    case "responses":
      return "/responses";
    case "messages":
      return "/messages";
    case "gemini":
      return `/models/${encodeURIComponent(model)}:${stream ? "streamGenerateContent?alt=sse" : "generateContent"}`;
    default:
      return to satisfies never;
  }
}

/** Said with every translated answer, for whoever looks into a call. */
export function translatedHeader({ from, to, lost }: TranslatedCall): Record<string, string> {
  const named = lost.length > 0 ? `; not said: ${lost.join(", ")}` : "";
  return { "x-stepfall-translated": `${from} to ${to}${named}`.replaceAll(/[^\x20-\x7e]/g, "?").slice(0, 1_000) };
}

/** As they go over the wire. */
export const textOfEvents = (events: readonly AgentEvent[]): string =>
  events
    .map(
      ({ event, data }) => `${event === undefined ? "" : `event: ${event}\n`}data: ${data === "[DONE]" ? data : JSON.stringify(data)}\n\n`,
    )
    .join("");

/** Tool calls of a long attempt; a signature is up to some KiB. */
const mostSeals = 2_000;

/** What upstreams want back word for word: the last of it. */
export function newSeals(most = mostSeals): Seals {
  const known = new Map<string, string>();
  return {
    get: (callId) => known.get(callId),
    set(callId, seal) {
      known.set(callId, seal);
      if (known.size > most) known.delete(known.keys().next().value ?? "");
    },
  };
}
