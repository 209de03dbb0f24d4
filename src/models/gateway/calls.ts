import { randomUUID } from "node:crypto";
import { formatUsd, type Clock } from "../../domain/index.ts";
import { BudgetBook, chargedTo, heldAt, type Exhausted } from "./budgets.ts";
import { UsageByKey } from "./key-usage.ts";
import type { InFlight, KeyState } from "./keys.ts";
import type { ModelPrice, QuotaMet } from "./contract.ts";
import { OverCount } from "./over-count.ts";
import { ceilingOf } from "./prices.ts";
import { settle, type CallEnd } from "./settlement.ts";
import { settledAsUnknown, SpoolWriter, type ReservedCall, type SettledCall } from "./spool.ts";

export type Begun =
  | { ok: true; call: OpenCall }
  | { ok: false; code: "budget_exhausted" | "model_without_price"; message: string; exhausted?: Exhausted };

/** What a call is reserved and settled by. */
export interface AskedCall {
  /** Id of the provider that is asked. */
  provider: string;
  model: string;
  /** `undefined`: unknown. */
  price: ModelPrice | undefined;
  inputTokens: number;
  maxOutputTokens: number;
  cacheWrites?: "none" | "short" | "long";
  /** It may buy what no figure tells: its money is unknown. */
  isUnpriced?: boolean;
}

/** A reserved call. `end` must be called once; later calls change nothing. */
export interface OpenCall {
  readonly inputTokens: number;
  readonly signal: AbortSignal;
  end(end: CallEnd, error?: string): Promise<void>;
}

export interface CallsOptions {
  spool: string;
  clock: Clock;
  /** This process, `pid:startTime`. */
  gateway: string;
  /** Told of settlements that could not be written. */
  onProblem(problem: unknown): void;
}

/**
 * Reserves and settles calls, in the budgets and in the spool. A call is `reserved`, goes out, and is `settled`; or it is refused, which is
 * one `settled` record of outcome `refused`. What an earlier gateway left reserved is settled as `unknown` before the first call.
 *
 * A call is what went to a provider once, under an id of its own, and is settled once. An agent whose connection broke, for whatever reason,
 * and that asks again, makes a second call: the provider charges for both, and both are on the bill.
 */
export class Calls {
  readonly budgets = new BudgetBook();
  readonly usages = new UsageByKey();
  readonly #overCount = new OverCount();
  readonly #spool: SpoolWriter;
  readonly #options: CallsOptions;
  #inFlight = 0;

  constructor(options: CallsOptions) {
    this.#options = options;
    const open = new Map<string, ReservedCall>();
    this.#spool = new SpoolWriter(options.spool, (record) => {
      if (record.type === "reserved") return open.set(record.callId, record);
      open.delete(record.callId);
      this.usages.add(record);
      return this.budgets.recall(chargedTo(record), record.microUsd);
    });
    for (const call of open.values()) {
      const settled = settledAsUnknown(call);
      void this.#spool.settled(settled).catch(options.onProblem);
      this.usages.add(settled);
      this.budgets.recall(chargedTo(call), call.microUsd);
    }
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** A call that only calls under way leave no room for waits until they are settled, or `over` aborts. */
  async begin(key: KeyState, asked: AskedCall, over: AbortSignal): Promise<Begun> {
    for (;;) {
      const begun = this.#begin(key, asked);
      if (begun !== "full") return begun;
      await this.budgets.freed(over, key.spec.attempt);
      if (over.aborted) return { ok: false, code: "budget_exhausted", message: "The call was cancelled while it waited for others." };
    }
  }

  /** `full`: what is under way may leave room for it. */
  #begin(key: KeyState, asked: AskedCall): Begun | "full" {
    const { inputTokens, maxOutputTokens, price } = asked;
    const base = this.#baseOf(key, asked);
    if (!price && base.budgets.length > 0) {
      const message = `No price is known for ${asked.model} at ${asked.provider}, and a budget applies: nothing can be reserved. Set its price in the settings.`;
      this.#refused(base, message);
      return { ok: false, code: "model_without_price", message };
    }
    const mostInput = inputTokens + this.#overCount.of(modelOf(asked));
    const microUsd = ceilingOf(mostInput, maxOutputTokens, price, asked.cacheWrites);
    const accounts = chargedTo(base);
    const call = { attempt: base.attempt, ids: accounts, amount: microUsd };
    const exhausted = this.budgets.reserve({ ...call, held: heldAt(key.spec.budgets, base.at) });
    if (exhausted) {
      const { id, limit, spent, reserved, mayFit } = exhausted;
      if (mayFit) return "full";
      const message =
        `The budget ${id} cannot carry this call: it may cost up to ${formatUsd(microUsd)}; ` +
        `of ${formatUsd(limit)}, ${formatUsd(spent)} is spent and ${formatUsd(reserved)} reserved by calls under way and for other attempts.`;
      this.#refused(base, message, { exhausted: { id, limit, spent, needed: microUsd } });
      return { ok: false, code: "budget_exhausted", message, exhausted };
    }
    const record: ReservedCall = { ...base, type: "reserved", inputTokens, maxOutputTokens, microUsd };
    try {
      this.#spool.reserved(record);
    } catch (problem) {
      this.budgets.settle(call, 0);
      throw problem;
    }
    return { ok: true, call: this.#open(key, record, asked) };
  }

  #open(key: KeyState, record: ReservedCall, asked: AskedCall): OpenCall {
    const { promise, resolve } = Promise.withResolvers<void>();
    const aborter = new AbortController();
    const flight: InFlight = { abort: (reason) => aborter.abort(reason), settled: promise };
    key.inFlight.add(flight);
    this.#inFlight += 1;
    let ended = false;
    const end = async (how: CallEnd, error?: string): Promise<void> => {
      if (ended) return promise;
      ended = true;
      const { maxOutputTokens: _, microUsd: reservedMicroUsd, type: __, ...rest } = record;
      const settled: SettledCall = {
        ...rest,
        ...settle(how, record, asked.price, asked.isUnpriced),
        type: "settled",
        reservedMicroUsd,
        durationMs: Math.max(0, this.#options.clock.now() - record.at),
        ...(error !== undefined && { error }),
      };
      this.budgets.settle({ attempt: record.attempt, ids: chargedTo(record), amount: reservedMicroUsd }, settled.microUsd);
      if (how.kind === "reported") this.#overCount.saw(modelOf(record), record.inputTokens, settled.inputTokens);
      this.usages.add(settled);
      try {
        await this.#spool.settled(settled);
      } catch (problem) {
        // Left reserved in the spool: the next gateway settles it as unknown, never as nothing.
        this.#options.onProblem(problem);
      } finally {
        key.inFlight.delete(flight);
        this.#inFlight -= 1;
        resolve();
      }
    };
    return { inputTokens: record.inputTokens, signal: aborter.signal, end };
  }

  /** Writes down a call that a provider's limit, or a provider known to be down, kept from going out. */
  refuse(key: KeyState, asked: Pick<AskedCall, "provider" | "model">, error: string, quota?: QuotaMet): void {
    this.#refused(this.#baseOf(key, asked), error, quota && { quota });
  }

  #baseOf(key: KeyState, { provider, model }: Pick<AskedCall, "provider" | "model">): Omit<SettledCall, "type" | keyof typeof nothingUsed> {
    const at = this.#options.clock.now();
    return {
      callId: randomUUID(),
      at,
      gateway: this.#options.gateway,
      keyId: key.keyId,
      runId: key.spec.runId,
      attempt: key.spec.attempt,
      agent: key.spec.agent,
      tier: key.spec.tier,
      provider,
      model,
      budgets: heldAt(key.spec.budgets, at).map(({ id }) => id),
      ...(key.spec.project !== undefined && { project: key.spec.project }),
      ...(key.spec.credentials === "pass-through" && { credentials: "pass-through" as const }),
    };
  }

  #refused(
    base: Omit<SettledCall, "type" | keyof typeof nothingUsed>,
    error: string,
    why?: Pick<SettledCall, "exhausted" | "quota">,
  ): void {
    const record: SettledCall = { ...base, type: "settled", ...nothingUsed, error, ...why };
    this.usages.add(record);
    void this.#spool.settled(record).catch(this.#options.onProblem);
  }

  /** Everything written is on disk when it resolves. */
  sync(): Promise<void> {
    return this.#spool.sync();
  }

  close(): Promise<void> {
    return this.#spool.close();
  }
}

const modelOf = ({ provider, model }: { provider: string; model: string }): string => `${provider}/${model}`;

const nothingUsed = {
  provenance: "reported" as const,
  outcome: "refused" as const,
  inputTokens: 0,
  cachedInputTokens: 0,
  outputTokens: 0,
  microUsd: 0,
  reservedMicroUsd: 0,
  durationMs: 0,
  error: "",
};
