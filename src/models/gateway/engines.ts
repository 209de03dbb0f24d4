import { isAlive, type ProcessIdentity } from "./process-identity.ts";

/** The engines that use this gateway. One that died without a word is noticed by its pid and start time. */
export class Engines {
  readonly #clients = new Map<string, ProcessIdentity>();
  #met = false;

  /** Whether any engine ever came: one that started this gateway may still be on its way. */
  get met(): boolean {
    return this.#met;
  }

  hello(client: string, engine: ProcessIdentity): void {
    this.#met = true;
    this.#clients.set(client, engine);
  }

  goodbye(client: string): void {
    this.#clients.delete(client);
  }

  forgetDead(): void {
    for (const [client, engine] of this.#clients) if (!isAlive(engine)) this.#clients.delete(client);
  }

  has(client: string): boolean {
    return this.#clients.has(client);
  }

  get size(): number {
    return this.#clients.size;
  }
}
