import { randomUUID } from "node:crypto";
import { formatUsd, type Clock } from "../../domain/index.ts";
import { BudgetBook, type Exhausted } from "./budgets.ts";
import { UsageByKey } from "./key-usage.ts";
import type { InFlight, KeyState } from "./keys.ts";
import type { ModelPrice } from "./contract.ts";
import { ceilingOf } from "./prices.ts";
import { settle, type CallEnd } from "./settlement.ts";
import { settledAsUnknown, SpoolWriter, type ReservedCall, type SettledCall } from "./spool.ts";

export type Begun =
  | { ok: true; call: OpenCall }
  | { ok: false; code: "budget_exhausted" | "model_without_price"; message: string; exhausted?: Exhausted };

/** What a call is reserved and settled by. */
export interface AskedCall {
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
      return this.budgets.recall(record.budgets, record.microUsd);
    });
    for (const call of open.values()) {
      const settled = settledAsUnknown(call);
      void this.#spool.settled(settled).catch(options.onProblem);
      this.usages.add(settled);
      this.budgets.recall(call.budgets, call.microUsd);
    }
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  begin(key: KeyState, asked: AskedCall): Begun {
    const { upstream, budgetIds } = key;
    const { inputTokens, maxOutputTokens, price } = asked;
    const started = this.#options.clock.now();
    const base = {
      callId: randomUUID(),
      at: started,
      gateway: this.#options.gateway,
      keyId: key.keyId,
      runId: key.spec.runId,
      attempt: key.spec.attempt,
      agent: key.spec.agent,
      tier: key.spec.tier,
      provider: upstream.provider,
      model: asked.model,
      budgets: [...budgetIds],
      ...(key.spec.credentials === "pass-through" && { credentials: "pass-through" as const }),
    };
    if (!price && budgetIds.length > 0) {
      const message = `No price is known for ${asked.model} at ${upstream.provider}, and a budget applies: nothing can be reserved. Set its price in the settings.`;
      this.#refused(base, message);
      return { ok: false, code: "model_without_price", message };
    }
    const microUsd = ceilingOf(inputTokens, maxOutputTokens, price, asked.cacheWrites);
    const exhausted = this.budgets.reserve(budgetIds, microUsd);
    if (exhausted) {
      const { id, limit, spent, reserved } = exhausted;
      const message =
        `The budget ${id} cannot carry this call: it may cost up to ${formatUsd(microUsd)}; ` +
        `of ${formatUsd(limit)}, ${formatUsd(spent)} is spent and ${formatUsd(reserved)} reserved by calls under way.`;
      this.#refused(base, message, { id, limit, spent, needed: microUsd });
      return { ok: false, code: "budget_exhausted", message, exhausted };
    }
    const record: ReservedCall = { ...base, type: "reserved", inputTokens, maxOutputTokens, microUsd };
    try {
      this.#spool.reserved(record);
    } catch (problem) {
      this.budgets.settle(budgetIds, microUsd, 0);
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
      this.budgets.settle(record.budgets, reservedMicroUsd, settled.microUsd);
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

  #refused(base: Omit<SettledCall, "type" | keyof typeof nothingUsed>, error: string, exhausted?: SettledCall["exhausted"]): void {
    const record: SettledCall = { ...base, type: "settled", ...nothingUsed, error, ...(exhausted && { exhausted }) };
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
