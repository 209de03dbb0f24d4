import { keyFor } from "./attempt-key.ts";
import type { RequestServer } from "./attempt-mcp/contract.ts";
import { RequestLoop } from "./attempt-mcp/serve-requests.ts";
import { call, urlOf, watchGateway, type Attached } from "./client.ts";
import type { GatewayClient, Held, HoldSpec, KeySpec, KeyUsage, OpenKey, ProviderState } from "./contract.ts";
import { GatewayError } from "./errors.ts";
import type { HoldAnswer } from "./holds.ts";
import { usageFromSpool } from "./key-usage.ts";
import { keyIdOf } from "./keys.ts";
import type { GatewayPaths } from "./folder.ts";

/** A key this engine has open. */
interface HeldKey {
  key: string;
  spec: KeySpec;
  /** Where its agent expects the gateway. */
  url: string;
  lost: AbortController;
}

/** Gateways that may die one after the other while one thing is asked: more die of something that will not pass. */
const MOST_GATEWAYS = 5;

const isGone = (error: unknown): boolean => error instanceof GatewayError && error.code === "GATEWAY_GONE";

/** The client of one engine; see `GatewayClient`. */
export class EngineClient implements GatewayClient {
  readonly spool: string;
  readonly #attach: () => Promise<Attached>;
  readonly #secret: string;
  readonly #held = new Map<string, HeldKey>();
  readonly #requests = new RequestLoop((path, body, over) =>
    this.#persevere(async () => {
      await this.#again?.catch(() => undefined);
      const { record, client } = this.#attached;
      return call(record, "POST", path, { ...body, client }, undefined, undefined, over);
    }),
  );
  #attached: Attached;
  #again: Promise<void> | undefined;
  #unwatch: (() => void) | undefined;
  #disconnected = false;

  constructor(first: Attached, attach: () => Promise<Attached>, paths: GatewayPaths) {
    this.#attached = first;
    this.#attach = attach;
    this.spool = paths.spool;
    this.#secret = paths.secret;
  }

  get url(): string {
    return urlOf(this.#attached.record);
  }

  get pid(): number {
    return this.#attached.record.pid;
  }

  async openKey(spec: KeySpec): Promise<OpenKey> {
    const key = keyFor(spec, this.#secret);
    await this.#again?.catch(() => undefined);
    const answer = await this.#persevere(() => this.#open(key, spec));
    const lost = this.#held.get(key)?.lost ?? new AbortController();
    this.#held.set(key, { key, spec, url: answer.url, lost });
    this.#watch();
    const mcp = spec.mcp ? { mcp: `${answer.url.replace(/\/v1$/, "")}/k/${key}/mcp` } : {};
    return { ...answer, ...mcp, key, lost: lost.signal };
  }

  serveRequests(key: string, server: RequestServer): Disposable {
    return this.#requests.serve(keyIdOf(key), server);
  }

  async hold(spec: HoldSpec, over: AbortSignal, onWait?: (id: string) => void): Promise<Held> {
    for (let times = 0; !over.aborted; times++) {
      await this.#again?.catch(() => undefined);
      const answer = await this.#persevere(() => {
        const { record, client } = this.#attached;
        return call<HoldAnswer>(record, "POST", "/admin/holds", { client, spec });
      });
      if (answer.kind === "exhausted") return answer;
      if (answer.kind === "held") return { kind: "held", release: () => this.#release(spec.attempt) };
      if (times === 0) onWait?.(answer.id);
    }
    return { kind: "given-up" };
  }

  /** A gateway that is gone holds nothing. */
  async #release(attempt: string): Promise<void> {
    await call(this.#attached.record, "POST", "/admin/holds/release", { attempt }).catch(() => undefined);
  }

  async closeKey(key: string): Promise<KeyUsage> {
    this.#held.delete(key);
    await this.#again?.catch(() => undefined);
    const close = (): Promise<KeyUsage> =>
      call<KeyUsage>(this.#attached.record, "POST", "/admin/keys/close", { key, client: this.#attached.client }, 120_000);
    try {
      return await this.#persevere(close);
    } catch (error) {
      if (!(error instanceof GatewayError) || error.code === "GATEWAY_REFUSED" || error.code === "GATEWAY_UNREACHABLE") throw error;
      // There is no gateway and none can be had. What the last one wrote is all there is to know.
      return usageFromSpool(this.spool, keyIdOf(key));
    } finally {
      if (this.#held.size === 0) this.#stopWatching();
    }
  }

  async endAttempt(attempt: string): Promise<void> {
    await this.#again?.catch(() => undefined);
    await this.#persevere(() => {
      const { record, client } = this.#attached;
      return call(record, "POST", "/admin/attempts/end", { attempt, client }, 120_000);
    });
  }

  async providers(): Promise<ProviderState[]> {
    const { providers } = await call<{ providers: ProviderState[] }>(this.#attached.record, "GET", "/admin/status");
    return providers;
  }

  async disconnect(): Promise<void> {
    this.#disconnected = true;
    this.#stopWatching();
    await this.#again?.catch(() => undefined);
    await call(this.#attached.record, "POST", "/admin/goodbye", { client: this.#attached.client }).catch(() => undefined);
  }

  /** Asks again where the gateway died meanwhile, and so may the next one. */
  async #persevere<T>(ask: () => Promise<T>): Promise<T> {
    for (let left = MOST_GATEWAYS; ; left--) {
      try {
        return await ask();
      } catch (error) {
        if (!isGone(error) || left <= 1) throw error;
        await this.#reattach();
      }
    }
  }

  #open(key: string, spec: KeySpec): Promise<Omit<OpenKey, "key" | "lost">> {
    return call(this.#attached.record, "POST", "/admin/keys", { key, client: this.#attached.client, spec });
  }

  #watch(): void {
    if (this.#unwatch || this.#disconnected || this.#held.size === 0) return;
    this.#unwatch = watchGateway(this.#attached.record, () => {
      this.#unwatch = undefined;
      // Nobody waits for this one: the keys are told what came of it.
      void this.#reattach().catch(() => undefined);
    });
  }

  #stopWatching(): void {
    this.#unwatch?.();
    this.#unwatch = undefined;
  }

  /** Says hello to the gateway there is, or starts one, and opens there what this engine has open. */
  #reattach(): Promise<void> {
    this.#again ??= this.#attachAgain().finally(() => (this.#again = undefined));
    return this.#again;
  }

  async #attachAgain(): Promise<void> {
    this.#stopWatching();
    try {
      this.#attached = await this.#attach();
    } catch (problem) {
      for (const held of this.#held.values()) this.#lose(held, problem);
      throw problem;
    }
    for (const held of this.#held.values()) await this.#openAgain(held);
    this.#watch();
  }

  async #openAgain(held: HeldKey): Promise<void> {
    const { record } = this.#attached;
    if (held.url !== `${urlOf(record)}/v1`) {
      const message = `The gateway was killed, and another program took its port: it is at ${urlOf(record)} now, and the agent knows ${held.url}.`;
      return this.#lose(held, new GatewayError("GATEWAY_PORT_TAKEN", message, "Try the attempt again: it gets the new address."));
    }
    // Closed meanwhile: it must stay so.
    if (!this.#held.has(held.key)) return undefined;
    try {
      await this.#open(held.key, held.spec);
    } catch (problem) {
      // The watch, or the next request, sees to one that is gone again.
      if (!isGone(problem)) this.#lose(held, problem);
    }
  }

  #lose(held: HeldKey, reason: unknown): void {
    this.#held.delete(held.key);
    held.lost.abort(reason);
  }
}
