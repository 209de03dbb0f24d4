import type { Clock } from "../domain/index.ts";
import type { Ended } from "./contract.ts";
import { metricsRequest, tracesRequest } from "./otlp.ts";

/** Most spans that wait to be sent. What comes on top is dropped and counted: nothing of a run ever waits for an endpoint. */
const MOST_WAITING = 4096;
const BATCH = 512;
const EVERY_MS = 2000;
const TRY_MS = 10_000;
const LONGEST_PAUSE_MS = 30_000;

export interface OutboundOptions {
  /** Without a trailing slash. */
  endpoint: string;
  headers: Readonly<Record<string, string>>;
  clock: Clock;
  mask: (text: string) => string;
  /** Everything of a run up to this version has arrived. */
  arrived: (runId: string, version: number) => Promise<void>;
  /** Between sendings; default 2 s. */
  everyMs?: number;
}

interface Waiting extends Ended {
  runId: string;
}

/** What did not arrive, and why not. */
export interface Lost {
  spans: number;
  measurements: number;
  because?: string;
}

type Sent = { kind: "ok"; rejected: number } | { kind: "refused" | "unreachable"; because: string };

/** Sends what is over, in order, a batch at a time, and never holds anybody up. */
export class Outbound {
  readonly #options: OutboundOptions;
  #waiting: Waiting[] = [];
  #spans = 0;
  readonly #lost: Lost = { spans: 0, measurements: 0 };
  #failures = 0;
  #timer: NodeJS.Timeout | undefined;
  #sending: Promise<void> | undefined;
  /** From here on only `close` sends: two at a time would send the same. */
  #isClosing = false;
  readonly #abort = new AbortController();
  #sentAt: number;

  constructor(options: OutboundOptions) {
    this.#options = options;
    this.#sentAt = options.clock.now();
  }

  add(runId: string, ended: Ended): void {
    if (ended.spans.length + ended.measurements.length === 0) return;
    if (this.#spans + ended.spans.length > MOST_WAITING) {
      this.#lose([ended], "it came faster than it could be sent");
      return;
    }
    this.#waiting.push({ runId, ...ended });
    this.#spans += ended.spans.length;
    if (this.#spans >= BATCH && this.#failures === 0) this.#sendSoon(0);
    else this.#sendSoon(this.#options.everyMs ?? EVERY_MS);
  }

  /** Sends what waits, for so long at most; what is left then is lost. */
  async close(mostMs: number): Promise<Lost> {
    this.#isClosing = true;
    clearTimeout(this.#timer);
    const giveUp = setTimeout(() => this.#abort.abort(), mostMs);
    await this.#sending;
    while (this.#waiting.length > 0 && !this.#abort.signal.aborted) {
      await this.#send();
      // One more try is all that the end of a process waits for.
      if (this.#failures > 0) break;
    }
    clearTimeout(giveUp);
    clearTimeout(this.#timer);
    this.#lose(this.#waiting);
    this.#waiting = [];
    return this.#lost;
  }

  #sendSoon(inMs: number): void {
    if (this.#isClosing || this.#sending || (this.#timer && inMs > 0)) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#sending ??= this.#send().finally(() => {
        this.#sending = undefined;
        const pause = Math.min(LONGEST_PAUSE_MS, EVERY_MS * 2 ** this.#failures);
        if (this.#waiting.length > 0 && !this.#abort.signal.aborted) this.#sendSoon(this.#failures > 0 ? pause : 0);
      });
    }, inMs);
    this.#timer.unref();
  }

  async #send(): Promise<void> {
    const batch: Waiting[] = [];
    let spans = 0;
    for (const ended of this.#waiting) {
      if (batch.length > 0 && spans + ended.spans.length > BATCH) break;
      batch.push(ended);
      spans += ended.spans.length;
    }
    const last = batch.at(-1);
    if (!last) return;
    const to = this.#options.clock.now();
    const measurements = batch.flatMap((e) => e.measurements);
    const [traces, metrics] = await Promise.all([
      this.#post("/v1/traces", spans === 0 ? undefined : tracesRequest(batch.flatMap((e) => e.spans))),
      this.#post("/v1/metrics", measurements.length === 0 ? undefined : metricsRequest(measurements, { from: this.#sentAt, to })),
    ]);
    const failed = [traces, metrics].find((s) => s.kind === "unreachable");
    if (failed && failed.kind !== "ok") {
      this.#failures += 1;
      this.#lost.because = failed.because;
      this.#keepRest(batch.length, { traces, metrics });
      return;
    }
    this.#failures = 0;
    this.#sentAt = to;
    this.#waiting.splice(0, batch.length);
    this.#spans -= spans;
    if (traces.kind === "refused")
      this.#lose(
        batch.map((e) => ({ ...e, measurements: [] })),
        traces.because,
      );
    else if (traces.kind === "ok") this.#lost.spans += traces.rejected;
    if (metrics.kind === "refused")
      this.#lose(
        batch.map((e) => ({ ...e, spans: [] })),
        metrics.because,
      );
    else if (metrics.kind === "ok") this.#lost.measurements += metrics.rejected;
    const versions = new Map(batch.map((e) => [e.runId, e.version]));
    for (const [runId, version] of versions) await this.#options.arrived(runId, version).catch(() => undefined);
  }

  /** Of a batch of which one half has not arrived, only that half goes out again. */
  #keepRest(length: number, { traces, metrics }: { traces: Sent; metrics: Sent }): void {
    for (const [i, ended] of this.#waiting.slice(0, length).entries()) {
      const spans = traces.kind === "ok" ? [] : ended.spans;
      this.#spans -= ended.spans.length - spans.length;
      this.#waiting[i] = { ...ended, spans, measurements: metrics.kind === "ok" ? [] : ended.measurements };
    }
  }

  async #post(path: string, body: object | undefined): Promise<Sent> {
    if (!body) return { kind: "ok", rejected: 0 };
    const { endpoint, headers, mask } = this.#options;
    try {
      const response = await fetch(endpoint + path, {
        method: "POST",
        headers: { "content-type": "application/json", "user-agent": "stepfall", ...headers },
        body: JSON.stringify(body),
        redirect: "manual",
        signal: AbortSignal.any([this.#abort.signal, AbortSignal.timeout(TRY_MS)]),
      });
      const text = (await response.text()).slice(0, 10_000);
      if (response.ok) return { kind: "ok", rejected: rejectedIn(text) };
      const because = mask(`HTTP ${response.status}${text.trim() === "" ? "" : `: ${text.trim().slice(0, 200)}`}`);
      return { kind: [408, 429, 502, 503, 504].includes(response.status) ? "unreachable" : "refused", because };
    } catch (error) {
      const cause =
        error instanceof Error && error.cause instanceof Error
          ? error.cause.message || String((error.cause as NodeJS.ErrnoException).code)
          : undefined;
      return { kind: "unreachable", because: mask(cause ?? (error instanceof Error ? error.message : String(error))) };
    }
  }

  #lose(ended: readonly Ended[], because?: string): void {
    for (const { spans, measurements } of ended) {
      this.#lost.spans += spans.length;
      this.#lost.measurements += measurements.length;
    }
    if (because !== undefined) this.#lost.because = because;
  }
}

/** What the receiver took is not all of it. Numbers of 64 bits are text in this format. */
function rejectedIn(text: string): number {
  try {
    const { partialSuccess } = JSON.parse(text) as { partialSuccess?: Record<string, unknown> };
    const rejected = Number(partialSuccess?.["rejectedSpans"] ?? partialSuccess?.["rejectedDataPoints"] ?? 0);
    return Number.isFinite(rejected) ? rejected : 0;
  } catch {
    return 0;
  }
}
