import { randomUUID } from "node:crypto";
import { runToolLimits } from "../../../domain/index.ts";
import type { KeyState } from "../keys.ts";
import type { AgentReply, AgentRequest } from "./contract.ts";

interface Pending {
  request: AgentRequest;
  /** Its `client` is the engine that has the attempt now. */
  key: KeyState;
  settle(reply: AgentReply): void;
}

const ended: AgentReply = { text: "The attempt is over.", isError: true };

/**
 * What agents have asked of their runs and nobody has answered yet. The gateway knows no run: each request goes to the engine that has the agent's
 * key, as often as that does not say that it knows it; when the engine dies, to the one that opens the key next.
 */
export class PendingRequests {
  readonly #pending = new Map<string, Pending>();
  readonly #polls = new Set<() => void>();

  /** Resolves with the engine's answer. `gone` aborts when the agent does not listen any more: then nobody needs one. */
  ask(key: KeyState, asked: Pick<AgentRequest, "id" | "tool" | "input">, gone: AbortSignal): Promise<AgentReply> {
    const open = [...this.#pending.values()].filter((p) => p.key === key).length;
    if (open >= runToolLimits.open && !this.#pending.has(asked.id))
      return Promise.resolve({ text: `${open} of your requests wait already: wait for their answers.`, isError: true });
    if (key.closed) return Promise.resolve(ended);
    const { promise, resolve } = Promise.withResolvers<AgentReply>();
    const pending: Pending = { request: { ...asked, delivery: randomUUID(), keyId: key.keyId }, key, settle: resolve };
    const forget = (): void => {
      if (this.#pending.get(asked.id) === pending) this.#pending.delete(asked.id);
      resolve(ended);
    };
    if (gone.aborted) return Promise.resolve(ended);
    gone.addEventListener("abort", forget, { once: true });
    key.over.signal.addEventListener("abort", forget, { once: true });
    // Asked again over a new connection: the old one is not heard any more.
    this.#pending.get(asked.id)?.settle(ended);
    this.#pending.set(asked.id, pending);
    this.wake();
    return promise.finally(() => {
      gone.removeEventListener("abort", forget);
      key.over.signal.removeEventListener("abort", forget);
    });
  }

  /** What is asked of the runs of an engine, but for the deliveries it says it knows; waits until there is something, or `until` aborts. */
  async next(client: string, known: ReadonlySet<string>, until: AbortSignal): Promise<AgentRequest[]> {
    let wake = (): void => undefined;
    const poll = (): void => wake();
    this.#polls.add(poll);
    until.addEventListener("abort", poll, { once: true });
    try {
      for (;;) {
        const found = [...this.#pending.values()]
          .filter((p) => p.key.client === client && !known.has(p.request.delivery))
          .map((p) => p.request);
        if (found.length > 0 || until.aborted) return found;
        await new Promise<void>((resolve) => (wake = resolve));
      }
    } finally {
      this.#polls.delete(poll);
      until.removeEventListener("abort", poll);
    }
  }

  /** Answers whether the agent waited for it. */
  reply(id: string, reply: AgentReply): boolean {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    pending?.settle(reply);
    return pending !== undefined;
  }

  /** A key may belong to another engine now. */
  wake(): void {
    for (const poll of this.#polls) poll();
  }
}
