import type { CredentialMode, MicroUsd, Provenance } from "../../domain/index.ts";
import type { RequestServer } from "./attempt-mcp/contract.ts";

/** What a call costs whose input is longer than `above` tokens: all of it, not only what is beyond. */
export interface PriceTier {
  above: number;
  input: MicroUsd;
  cachedInput: MicroUsd;
  /** Input that is written into the provider's cache for minutes; absent: at the input's price. */
  cacheWrite?: MicroUsd | undefined;
  /** The same for an hour; absent: like `cacheWrite`. */
  cacheWriteLong?: MicroUsd | undefined;
  output: MicroUsd;
}

/** Micro-dollars per million tokens. */
export interface ModelPrice extends Omit<PriceTier, "above"> {
  /** Long-context prices, by rising `above`. */
  tiers?: readonly PriceTier[] | undefined;
  /** `bundled` (genai-prices), `configured`, or `local` (no charge). */
  source: "bundled" | "configured" | "local";
}

/**
 * A wire format: OpenAI chat completions (`/v1/chat/completions`), OpenAI responses (`/v1/responses`), Anthropic messages (`/v1/messages`),
 * Gemini (`/v1beta/models/MODEL:generateContent`). The gateway serves all four at its origin; an upstream speaks some of them.
 */
export type Protocol = "chat" | "responses" | "messages" | "gemini";

/** A model at a provider. The API key never leaves the gateway. */
export interface Upstream {
  provider: string;
  /** Base of an OpenAI-compatible API, e.g. `http://127.0.0.1:11434/v1`. */
  baseUrl: string;
  /**
   * Base URL by wire format it speaks: for `chat`, `responses` and `messages` what comes before `/chat/completions`, `/responses` and
   * `/messages`; for `gemini` what comes before `/models/`. Absent: it speaks `chat`, at `baseUrl`.
   */
  bases?: Readonly<Partial<Record<Protocol, string>>> | undefined;
  apiKey?: string | undefined;
  model: string;
  /** `undefined`: unknown; refused when a budget applies. */
  price?: ModelPrice | undefined;
  headers?: Readonly<Record<string, string>> | undefined;
}

/**
 * A limit on money that several keys may share. `id`: an account, see budgets.ts in domain. Of one that has a period, that of the time when the key
 * is opened; calls after its end are charged to the next period's, with the same limit.
 */
export interface BudgetLimit {
  id: string;
  limit: MicroUsd;
  /** What the ledger knew as spent under this id when the key was opened; the gateway takes the larger of it and its own count. */
  spent: MicroUsd;
}

/** What is done when a provider says that an account has used up what it may, and when it may go on. */
export interface QuotaPolicy {
  /**
   * For waits longer than `holdMs`. `failover`: the next upstream is asked, and where none is left the attempt ends and is to go on when the
   * first of them may be asked again. `wait`: the same without asking another. `fail`: the provider's error is the agent's.
   */
  onLimit: "wait" | "failover" | "fail";
  /** How long a call is held within the gateway, its agent none the wiser. */
  holdMs: number;
  /** Longer waits are failures. */
  mostMs: number;
}

export interface KeySpec {
  runId: string;
  attempt: string;
  agent: string;
  tier: string;
  /**
   * In order of preference. One that fails before the agent has heard anything of its answer is followed by the next, within the same call of
   * the agent's; each of them is a call of its own on the bill. In `pass-through` only the first is used: the login is one provider's.
   */
  upstreams: readonly [Upstream, ...Upstream[]];
  /** Absent: limits are errors like others. */
  quota?: QuotaPolicy | undefined;
  budgets: readonly BudgetLimit[];
  /** Which project it works for: its calls are charged to that project's accounts. */
  project?: string | undefined;
  /** What is set aside for the attempt in its budgets as long as the key is open, see `GatewayClient.hold`: as much of it as can be had. Absent: nothing. */
  hold?: MicroUsd | undefined;
  /** Cap put on every call's maximum output, tokens. */
  maxOutputTokens: number;
  /**
   * Absent: `metered`. In `pass-through` the agent brings its own login: its headers are forwarded (never kept) in place of the upstream's
   * key, and it asks for the model it likes, at that model's price. The key must then be in the path: `/k/KEY/v1/...`.
   */
  credentials?: Exclude<CredentialMode, "direct"> | undefined;
  /**
   * Epoch of the lease under which the attempt's agent was started (`AttemptStarted.epoch`). With it the key is derived from run, attempt and
   * epoch, so that an engine that takes a living agent over opens the agent's own key again, without anybody having kept it; an agent that is
   * started anew, under another epoch, gets another key. Absent: a random key, which only this client can open again.
   */
  epoch?: number | undefined;
  /**
   * Until when (epoch ms) the agent may live without an engine: the key stays open so long after its engine is gone, and the gateway with it.
   * Absent: the key ends soon after its engine. While the engine is there this does not matter.
   */
  until?: number | undefined;
  /** Its agent may ask things of its run, by MCP at `OpenKey.mcp`; see `GatewayClient.serveRequests`. Absent: there is no such address. */
  mcp?: true | undefined;
}

/** Money to be set aside for an attempt before it begins. */
export interface HoldSpec extends Pick<KeySpec, "runId" | "attempt" | "project" | "budgets"> {
  /** Micro-dollars: its own limit, or what one call may cost. */
  amount: MicroUsd;
}

/** What came of it. */
export type Held =
  /** It is set aside, until a key of the attempt is opened with `hold` and closed, or `release`. */
  | { kind: "held"; release(): Promise<void> }
  /** A limit has nothing left, whatever others give back. */
  | { kind: "exhausted"; id: string; limit: MicroUsd; spent: MicroUsd }
  /** `over` was aborted first. */
  | { kind: "given-up" };

export interface OpenKey {
  /** The attempt's own key, `sf-...`. */
  key: string;
  /**
   * OpenAI-compatible base URL for the agent, ending in `/v1`. The other wire formats are at the same origin, and everything is at
   * `ORIGIN/k/KEY/...` as well.
   */
  url: string;
  /** Where the agent reaches its run by MCP (streamable HTTP), where `KeySpec.mcp` says so. The key is in it. */
  mcp?: string;
  /** The name an agent asks for. */
  model: string;
  /** What the key has used before: not nothing where it was taken over from another engine, or opened again at another gateway. */
  usage: KeyUsage;
  /**
   * Aborts when the key is of no use to its agent any more though nobody closed it: the gateway was killed and none can be started, or not at
   * its address. Its reason is a GatewayError, to be the attempt's failure (of kind `provider`): the agent itself would only see connections
   * that are refused. `closeKey` is still to be called and answers what was used.
   */
  lost: AbortSignal;
}

export interface KeyUsage {
  calls: number;
  inputTokens: number;
  cachedInputTokens: number;
  outputTokens: number;
  microUsd: MicroUsd;
  provenance: Provenance;
  /** Set when a budget refused a call of this key. */
  exhausted?: {
    id: string;
    limit: MicroUsd;
    spent: MicroUsd;
    /** What the refused call would have reserved. */
    needed: MicroUsd;
  };
  /** Set when the last call was refused since a provider's limit is met, until the next one that goes well. */
  quota?: QuotaMet;
  /** Set for keys in `pass-through`: the money is what its tokens cost by the list, not what a subscription was charged. */
  credentials?: "pass-through";
  /** The last error an upstream answered, for the attempt's failure message. */
  upstreamError?: string;
}

/** A limit that ended an attempt. */
export interface QuotaMet {
  provider: string;
  model: string;
  /** Epoch ms when the first upstream may be asked again. */
  retryAt: number;
}

/** How a provider is, as the gateway has seen it. */
export interface ProviderState {
  provider: string;
  /** Scheme, host and port: two projects may mean different servers by one name. */
  origin: string;
  breaker: "closed" | "open" | "half-open";
  failuresInRow: number;
  /** Epoch ms. */
  openUntil?: number;
  lastFailure?: string;
  /** Limits it has told of that are not over. */
  limits: readonly { model: string; until: number }[];
}

export interface GatewayClient {
  readonly url: string;
  /** Of the process that holds the port; its worker is another (see ADR 21). */
  readonly pid: number;
  /**
   * Opens the attempt's key. One that is open already (same run, attempt and epoch) is taken over from the engine that had it: same key, same
   * address, its usage so far, what it has under way goes on; upstreams and budgets are as given now.
   *
   * While keys are open the client watches the gateway. When it was killed, another is started at the same address and the keys are opened
   * again there; calls in the meantime wait.
   */
  openKey(spec: KeySpec): Promise<OpenKey>;
  /**
   * Sets money aside for an attempt that is about to begin: all of `amount`, or what its scarcest limit has left. Waits as long as others hold what
   * is missing. `onWait` is told, once, which limit it waits for. Let go of by itself when this engine dies.
   */
  hold(spec: HoldSpec, over: AbortSignal, onWait?: (id: string) => void): Promise<Held>;
  /**
   * Cancels what is in flight for the key, waits until every call is settled in the spool, forgets the key, and sums up over all gateways and
   * engines it was open at. Can be called again, and for keys of an engine that is gone; a key that another living engine has taken over stays
   * open, and the answer is what it has used so far.
   */
  closeKey(key: string): Promise<KeyUsage>;
  /**
   * Answers what the agent with this key asks of its run. To be called after `openKey`; disposing ends it. What nobody answered when this engine
   * died goes to the one that opens the key next: its agent only waits longer.
   */
  serveRequests(key: string, server: RequestServer): Disposable;
  /**
   * An attempt whose engine is gone is over, and so is its agent: its keys are closed that no living engine but this has, and what is set aside for it
   * is free.
   */
  endAttempt(attempt: string): Promise<void>;
  /** The providers that were asked lately. */
  providers(): Promise<ProviderState[]>;
  /** Path of the append-only spool. */
  readonly spool: string;
  /** Lets go: the gateway ends by itself once nobody uses it and no key is to be kept (`KeySpec.until`). Nothing is watched any more. */
  disconnect(): Promise<void>;
}
