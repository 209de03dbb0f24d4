import { createHash } from "node:crypto";
import type { Clock } from "../../../domain/index.ts";
import type { KeySpec, ProviderState, QuotaPolicy, Upstream } from "../contract.ts";
import { Breaker, type BreakerRule, type Pass } from "./breaker.ts";

/** The upstream that is to be asked, the wait until one may be, or that none is left. */
export type Choice =
  | { kind: "ask"; upstream: Upstream; pass: Pass }
  | { kind: "wait"; until: number; because: "quota" | "breaker"; upstream: Upstream }
  | { kind: "none" };

/** What is asked when an upstream is chosen. */
export interface Chooser {
  spec: KeySpec;
  /** Those that can be asked this way, in order of preference. */
  upstreams: readonly Upstream[];
  /** Those that failed this very call. */
  failed: ReadonlySet<Upstream>;
  /** How long this call may still be held for a limit. */
  holdMs: number;
}

export interface HealthOptions {
  clock: Clock;
  log(line: string): void;
  /** Told of every change that people may want to see. */
  onChange(states: ProviderState[]): void;
  rule: BreakerRule;
}

/** How long an upstream that failed an agent comes after the others for its step. */
const shunMs = 60_000;
/** What a limit that is told to be over at once costs at least: the next answer may well tell the same. */
const leastWaitMs = 200;

/**
 * How the providers are, as one worker of the gateway has seen them: a circuit breaker for each, shared by all keys, the limits that their
 * accounts have met, and which of them failed a step lately. Begins anew with each worker.
 */
export class Health {
  readonly #clock: Clock;
  readonly #rule: BreakerRule;
  readonly #log: (line: string) => void;
  readonly #onChange: (states: ProviderState[]) => void;
  readonly #breakers = new Map<string, { provider: string; origin: string; breaker: Breaker; lastFailure: string }>();
  readonly #limits = new Map<string, { provider: string; model: string; until: number }>();
  readonly #shunned = new Map<string, number>();

  constructor({ clock, log, onChange, rule }: HealthOptions) {
    this.#clock = clock;
    this.#rule = rule;
    this.#log = log;
    this.#onChange = onChange;
  }

  choose({ spec, upstreams, failed, holdMs }: Chooser): Choice {
    const now = this.#clock.now();
    const left = upstreams.filter((upstream) => !failed.has(upstream));
    const inOrder = left.toSorted((a, b) => Number(this.#isShunned(spec, a, now)) - Number(this.#isShunned(spec, b, now)));
    let wait: Extract<Choice, { kind: "wait" }> | undefined;
    const later = (until: number, because: "quota" | "breaker", upstream: Upstream): void => {
      if (!wait || until < wait.until) wait = { kind: "wait", until, because, upstream };
    };
    for (const upstream of inOrder) {
      const until = this.#limitOf(spec, upstream, now);
      if (until !== undefined) {
        if (spec.quota?.onLimit !== "failover" || until - now <= holdMs) return { kind: "wait", until, because: "quota", upstream };
        later(until, "quota", upstream);
        continue;
      }
      const admission = this.#breakerOf(upstream).breaker.admit(now);
      if (admission.kind === "pass") return { kind: "ask", upstream, pass: admission.pass };
      later(admission.until, "breaker", upstream);
    }
    return wait ?? { kind: "none" };
  }

  /** Its answer has begun, and so far it is one. */
  began(upstream: Upstream, pass: Pass): void {
    this.#change(upstream, (breaker) => breaker.began(pass));
  }

  /** The provider did its part: answered, or said what is wrong with the request. */
  succeeded(spec: KeySpec, upstream: Upstream, pass: Pass): void {
    this.#shunned.delete(shunId(spec, upstream));
    this.#change(upstream, (breaker) => breaker.succeeded(pass, this.#clock.now()));
  }

  failed(spec: KeySpec, upstream: Upstream, pass: Pass, why: string): void {
    const now = this.#clock.now();
    for (const [id, until] of this.#shunned) if (until <= now) this.#shunned.delete(id);
    this.#shunned.set(shunId(spec, upstream), now + shunMs);
    this.#breakerOf(upstream).lastFailure = why;
    this.#change(upstream, (breaker) => breaker.failed(pass, now));
  }

  released(upstream: Upstream, pass: Pass): void {
    this.#change(upstream, (breaker) => breaker.released(pass));
  }

  /** An account has used up what it may, until then. */
  limited(spec: KeySpec, upstream: Upstream, until: number): void {
    const now = this.#clock.now();
    for (const [id, limit] of this.#limits) if (limit.until <= now) this.#limits.delete(id);
    const { provider, model } = upstream;
    this.#limits.set(accountOf(spec, upstream), { provider, model, until: Math.max(until, now + leastWaitMs) });
    this.#onChange(this.states());
    this.#log(`${provider} (${model}) has met a limit until ${new Date(until).toISOString()}`);
  }

  /** Why an upstream's breaker is open, for people. */
  lastFailure(upstream: Upstream): string {
    return this.#breakerOf(upstream).lastFailure;
  }

  states(): ProviderState[] {
    const now = this.#clock.now();
    const limits = [...this.#limits.values()].filter((limit) => limit.until > now);
    const seen = [...this.#breakers.values()].map(({ provider, origin, breaker, lastFailure }) => ({
      provider,
      origin,
      breaker: breaker.state,
      failuresInRow: breaker.failuresInRow,
      ...(breaker.state === "open" && { openUntil: breaker.until }),
      ...(lastFailure !== "" && { lastFailure }),
      limits: limits.filter((limit) => limit.provider === provider).map(({ model, until }) => ({ model, until })),
    }));
    return seen.toSorted((a, b) => a.provider.localeCompare(b.provider));
  }

  #limitOf(spec: KeySpec, upstream: Upstream, now: number): number | undefined {
    if (!spec.quota) return undefined;
    const until = this.#limits.get(accountOf(spec, upstream))?.until;
    return until !== undefined && until > now ? until : undefined;
  }

  #isShunned(spec: KeySpec, upstream: Upstream, now: number): boolean {
    return (this.#shunned.get(shunId(spec, upstream)) ?? 0) > now;
  }

  #breakerOf(upstream: Upstream): { breaker: Breaker; lastFailure: string } {
    const { provider, baseUrl } = upstream;
    const { origin } = new URL(baseUrl);
    const id = `${provider} ${origin}`;
    let found = this.#breakers.get(id);
    if (!found) this.#breakers.set(id, (found = { provider, origin, breaker: new Breaker(this.#rule), lastFailure: "" }));
    return found;
  }

  #change(upstream: Upstream, change: (breaker: Breaker) => void): void {
    const { breaker } = this.#breakerOf(upstream);
    const before = breaker.state;
    change(breaker);
    if (breaker.state === before) return;
    const until = breaker.state === "open" ? ` until ${new Date(breaker.until).toISOString()}: ${this.lastFailure(upstream)}` : "";
    this.#onChange(this.states());
    this.#log(`the breaker of ${upstream.provider} is ${breaker.state}${until}`);
  }
}

/** Whether a wait is longer than anybody is to wait. */
export const isTooLong = (policy: QuotaPolicy, until: number, now: number): boolean => until - now > policy.mostMs;

/** What a limit belongs to: most providers count by key and model. An agent with its own login has limits of its own. */
function accountOf(spec: KeySpec, { provider, baseUrl, model, apiKey }: Upstream): string {
  if (spec.credentials === "pass-through") return `${provider} ${baseUrl} login of ${spec.agent}`;
  return `${provider} ${baseUrl} ${model} ${createHash("sha256")
    .update(apiKey ?? "")
    .digest("hex")
    .slice(0, 16)}`;
}

/** Of all attempts at a step: the next one is not to begin where the last one failed. */
const shunId = ({ attempt }: KeySpec, { provider, baseUrl, model }: Upstream): string =>
  `${attempt.replace(/#\d+$/, "")} ${provider} ${baseUrl} ${model}`;
