import { setTimeout as sleep } from "node:timers/promises";
import type { AgentReply, AgentRequest, RequestServer } from "./contract.ts";

/** Time until a gateway that did not answer is asked again. */
const AGAIN_MS = 500;

/** Asks the gateway's admin API; `signal` ends the wait for its answer. */
export type AskGateway = <T>(path: string, body: Readonly<Record<string, unknown>>, signal?: AbortSignal) => Promise<T>;

/**
 * An engine's side: while a key is served it asks the gateway for what that key's agent asks, one request of HTTP for all keys, and answers. What was
 * handed over to it is told with each question, so that nothing is lost with an answer that did not arrive, and nothing done twice.
 */
export class RequestLoop {
  readonly #ask: AskGateway;
  /** By key id. */
  readonly #served = new Map<string, RequestServer>();
  /** Deliveries of requests that are being answered, and of those that are nobody's here. */
  readonly #known = new Map<string, "answered" | "ignored">();
  #poll: AbortController | undefined;

  constructor(ask: AskGateway) {
    this.#ask = ask;
  }

  /** Until it is disposed of. */
  serve(keyId: string, server: RequestServer): Disposable {
    this.#served.set(keyId, server);
    // Something that came before anybody was here for it.
    const waits = [...this.#known].filter(([, how]) => how === "ignored");
    for (const [delivery] of waits) this.#known.delete(delivery);
    if (waits.length > 0) this.#poll?.abort();
    if (this.#served.size === 1) void this.#run();
    return {
      [Symbol.dispose]: () => {
        if (this.#served.get(keyId) === server) this.#served.delete(keyId);
        if (this.#served.size === 0) this.#poll?.abort();
      },
    };
  }

  #isRunning = false;

  async #run(): Promise<void> {
    if (this.#isRunning) return;
    this.#isRunning = true;
    while (this.#served.size > 0) {
      const poll = (this.#poll = new AbortController());
      try {
        const body = { known: [...this.#known.keys()] };
        const { requests } = await this.#ask<{ requests: AgentRequest[] }>("/admin/requests/next", body, poll.signal);
        for (const request of requests) void this.#take(request);
      } catch {
        // What the matter is, whoever has the keys is told of.
        if (!poll.signal.aborted) await sleep(AGAIN_MS);
      }
    }
    this.#isRunning = false;
    this.#known.clear();
  }

  async #take(request: AgentRequest): Promise<void> {
    const { delivery, keyId } = request;
    const server = this.#served.get(keyId);
    if (this.#known.has(delivery)) return;
    this.#known.set(delivery, server ? "answered" : "ignored");
    if (!server) return;
    const reply = await server.answer(request);
    if (!reply) return void this.#known.set(delivery, "ignored");
    server.replied(request, await this.#reply(request, reply));
    this.#known.delete(delivery);
  }

  async #reply({ id }: AgentRequest, reply: AgentReply): Promise<boolean> {
    try {
      return (await this.#ask<{ isHeard: boolean }>("/admin/requests/reply", { id, reply })).isHeard;
    } catch {
      // Its gateway is gone, and the agent's connection with it.
      return false;
    }
  }
}
