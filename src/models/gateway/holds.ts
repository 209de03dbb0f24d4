import type { ServerResponse } from "node:http";
import { z } from "zod";
import { sendJson } from "./answers.ts";
import { chargedTo, heldAt, type BudgetBook } from "./budgets.ts";
import type { BudgetLimit, HoldSpec } from "./contract.ts";
import type { Engines } from "./engines.ts";

const whole = z.number().int().nonnegative();
export const BudgetsSchema = z.array(z.object({ id: z.string(), limit: whole, spent: whole }));

const HoldRequest = z.object({
  client: z.string(),
  spec: z.object({
    runId: z.string(),
    attempt: z.string(),
    project: z.string().optional(),
    budgets: BudgetsSchema,
    amount: whole,
  }),
});

/** What an engine hears when it asks for money to be set aside. */
export type HoldAnswer =
  | { kind: "held" }
  /** What others hold is in the way: ask again. */
  | { kind: "full"; id: string }
  /** A limit has nothing left. */
  | { kind: "exhausted"; id: string; limit: number; spent: number };

/** A request waits so long for others before it is answered `full`. */
const WAIT_MS = 2_000;

/** What `spec` sets aside, as the book takes it. */
export const holdingOf = (spec: Omit<HoldSpec, "budgets"> & { budgets: readonly BudgetLimit[] }, now: number) => {
  const held = heldAt(spec.budgets, now);
  const ids = chargedTo({ ...spec, budgets: held.map(({ id }) => id), at: now });
  return { attempt: spec.attempt, held, ids, amount: spec.amount };
};

/**
 * Money that is set aside for attempts whose key is not open yet. It is given back when the engine that asked is gone, or says that the attempt does
 * not begin; once the key is open it goes with that.
 */
export class Holds {
  readonly #clients = new Map<string, string>();
  readonly #budgets: BudgetBook;
  readonly #clock: { now(): number };

  constructor(budgets: BudgetBook, clock: { now(): number }) {
    this.#budgets = budgets;
    this.#clock = clock;
  }

  /** Sets aside at once, or as soon as others make room within a short while. */
  async ask(json: unknown, res: ServerResponse): Promise<void> {
    const { client, spec } = HoldRequest.parse(json);
    for (const budget of spec.budgets) this.#budgets.open(budget);
    const gone = new AbortController();
    res.once("close", () => gone.abort());
    const until = AbortSignal.any([AbortSignal.timeout(WAIT_MS), gone.signal]);
    for (;;) {
      const refused = this.#budgets.hold(holdingOf(spec, this.#clock.now()));
      if (!refused) {
        this.#clients.set(spec.attempt, client);
        return sendJson(res, 200, { kind: "held" } satisfies HoldAnswer);
      }
      const { id, limit, spent, mayFit } = refused;
      if (!mayFit) return sendJson(res, 200, { kind: "exhausted", id, limit, spent } satisfies HoldAnswer);
      if (until.aborted) return sendJson(res, 200, { kind: "full", id } satisfies HoldAnswer);
      await this.#budgets.freed(until);
    }
  }

  /** The attempt does not begin. */
  release(attempt: string): void {
    if (this.#clients.delete(attempt)) this.#budgets.letGo(attempt);
  }

  /** Its key is open: with that it ends. */
  taken(attempt: string): void {
    this.#clients.delete(attempt);
  }

  /** Those of engines that are gone. */
  look(engines: Pick<Engines, "has">): void {
    for (const [attempt, client] of this.#clients) if (!engines.has(client)) this.release(attempt);
  }
}
