/** Calls of a model that are remembered. */
const MEMORY = 32;

/**
 * How many input tokens providers count beyond our own estimate (their tokenizer is another, or they add instructions of their own). What was
 * seen of a model lately is reserved on top of the estimate for its next calls, so that its bills do not pass what was set aside for them.
 */
export class OverCount {
  readonly #seen = new Map<string, number[]>();

  saw(model: string, estimated: number, counted: number): void {
    const seen = this.#seen.get(model) ?? [];
    this.#seen.set(model, [...seen, Math.max(0, counted - estimated)].slice(-MEMORY));
  }

  /** Tokens. */
  of(model: string): number {
    return Math.max(0, ...(this.#seen.get(model) ?? []));
  }
}
