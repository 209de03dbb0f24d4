import type { RoutableAgent } from "../models/index.ts";

/** An agent as everything else knows it. `E` is what executes it: handed in, the fleet does not look inside. */
export interface RegisteredAgent<E = unknown> extends RoutableAgent {
  executorKind: string;
  /** What a rate or session limit belongs to. */
  account: string;
  /** `provider/model`, for people. */
  model?: string | undefined;
  executor: E;
}

export class RegistryError extends Error {
  readonly code: "AGENT_ID_TAKEN" | "AGENT_ID_INVALID" | "AGENT_UNKNOWN";
  readonly hint: string;
  constructor(code: RegistryError["code"], message: string, hint: string) {
    super(message);
    this.name = "RegistryError";
    this.code = code;
    this.hint = hint;
  }
}

/** The one place where agent ids are minted: whatever routes, reserves or bills refers to these. */
export class Registry<E = unknown> {
  readonly #agents = new Map<string, RegisteredAgent<E>>();
  readonly #slots = new Map<string, number>();
  readonly #aside = new Map<string, string>();

  register(agent: RegisteredAgent<E>): void {
    if (!/^[a-z0-9][a-z0-9._-]{0,63}$/i.test(agent.id))
      throw new RegistryError(
        "AGENT_ID_INVALID",
        `${JSON.stringify(agent.id)} cannot be an agent's id`,
        "Use letters, digits, dot, dash and underscore, 64 at most.",
      );
    if (this.#agents.has(agent.id))
      throw new RegistryError("AGENT_ID_TAKEN", `agent ${agent.id} is registered already`, "Give one of the two another id.");
    this.#agents.set(agent.id, agent);
  }

  /** Most attempts at a time of an account, over all processes that share the store. */
  limitAccount(account: string, slots: number): void {
    this.#slots.set(account, slots);
  }

  get(id: string): RegisteredAgent<E> {
    const agent = this.#agents.get(id);
    if (!agent)
      throw new RegistryError(
        "AGENT_UNKNOWN",
        `agent ${id} is not registered here`,
        `Registered: ${[...this.#agents.keys()].join(", ") || "none"}.`,
      );
    return agent;
  }

  has(id: string): boolean {
    return this.#agents.has(id);
  }

  /** Those that can be given work, in the order of registration. */
  list(): RegisteredAgent<E>[] {
    return [...this.#agents.values()].filter(({ id }) => !this.#aside.has(id));
  }

  /** It was found not to work: nothing new is given to it, and what it has goes on. */
  setAside(id: string, because: string): void {
    this.#aside.set(id, because);
  }

  /** Takes back whoever was set aside: it may work by now. */
  takeBack(): void {
    this.#aside.clear();
  }

  accountSlots(): Record<string, number> {
    return Object.fromEntries(this.#slots);
  }
}
