import type { Clock } from "../domain/index.ts";
import type { LogRecord } from "../logs/index.ts";
import type { Measurement, Span } from "./contract.ts";
import { logsRequest, metricsRequest, tracesRequest } from "./otlp.ts";
import { post, type Sent } from "./post-otlp.ts";

/** Most spans, measurements and lines together that wait to be sent. What comes on top is dropped and counted: nothing of a run ever waits for an endpoint. */
const MOST_WAITING = 8192;
const BATCH = 512;
const EVERY_MS = 2000;
const LONGEST_PAUSE_MS = 30_000;

export interface OutboundOptions {
  /** Without a trailing slash. */
  endpoint: string;
  headers: Readonly<Record<string, string>>;
  clock: Clock;
  mask: (text: string) => string;
  /** Everything of a run up to this version has arrived. */
  arrived: (runId: string, version: number) => Promise<void>;
  /** It cannot be reached, said once until it can again. */
  unreachable: (because: string) => void;
  /** Between sendings; default 2 s. */
  everyMs?: number;
}

/** What goes out together, or not at all. `of`: up to which version of a run everything has arrived once this has. */
export interface Outgoing {
  of?: { runId: string; version: number };
  spans: readonly Span[];
  measurements: readonly Measurement[];
  logs: readonly LogRecord[];
}

/** What did not arrive, and why not. */
export interface Lost {
  spans: number;
  measurements: number;
  logs: number;
  because?: string;
}

type Signal = "spans" | "measurements" | "logs";
const SIGNALS: readonly Signal[] = ["spans", "measurements", "logs"];
const sizeOf = ({ spans, measurements, logs }: Outgoing): number => spans.length + measurements.length + logs.length;

/** Sends what is over, in order, a batch at a time, and never holds anybody up. */
export class Outbound {
  readonly #options: OutboundOptions;
  #waiting: Outgoing[] = [];
  #size = 0;
  readonly #lost: Lost = { spans: 0, measurements: 0, logs: 0 };
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

  /** How many spans, measurements and lines wait. */
  get waiting(): number {
    return this.#waiting.reduce((sum, outgoing) => sum + sizeOf(outgoing), 0);
  }

  add(outgoing: Outgoing): void {
    const size = sizeOf(outgoing);
    if (size === 0 || this.#isClosing) return;
    if (this.#size + size > MOST_WAITING) {
      this.#lose([outgoing], "it came faster than it could be sent");
      return;
    }
    this.#waiting.push(outgoing);
    this.#size += size;
    if (this.#size >= BATCH && this.#failures === 0) this.#sendSoon(0);
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
    const batch = this.#nextBatch();
    if (batch.length === 0) return;
    const to = this.#options.clock.now();
    const spans = batch.flatMap((b) => b.spans);
    const measurements = batch.flatMap((b) => b.measurements);
    const logs = batch.flatMap((b) => b.logs);
    const [ofSpans, ofMeasurements, ofLogs] = await Promise.all([
      this.#post("/v1/traces", spans.length === 0 ? undefined : tracesRequest(spans)),
      this.#post("/v1/metrics", measurements.length === 0 ? undefined : metricsRequest(measurements, { from: this.#sentAt, to })),
      this.#post("/v1/logs", logs.length === 0 ? undefined : logsRequest(logs)),
    ]);
    const sent = { spans: ofSpans, measurements: ofMeasurements, logs: ofLogs };
    const failed = SIGNALS.map((signal) => sent[signal]).find((s) => s.kind === "unreachable");
    if (failed && failed.kind !== "ok") {
      this.#failures += 1;
      this.#lost.because = failed.because;
      this.#keepRest(batch.length, sent);
      if (this.#failures === 1) this.#options.unreachable(failed.because);
      return;
    }
    this.#failures = 0;
    this.#sentAt = to;
    this.#waiting.splice(0, batch.length);
    for (const outgoing of batch) this.#size -= sizeOf(outgoing);
    for (const signal of SIGNALS) {
      const how = sent[signal];
      if (how.kind === "ok") this.#lost[signal] += how.rejected;
      else
        this.#lose(
          batch.map((b) => ({ ...NOTHING, [signal]: b[signal] })),
          how.because,
        );
    }
    const versions = new Map(batch.flatMap(({ of }) => (of ? [[of.runId, of.version] as const] : [])));
    for (const [runId, version] of versions) await this.#options.arrived(runId, version).catch(() => undefined);
  }

  #nextBatch(): Outgoing[] {
    const batch: Outgoing[] = [];
    let size = 0;
    for (const outgoing of this.#waiting) {
      if (batch.length > 0 && size + sizeOf(outgoing) > BATCH) break;
      batch.push(outgoing);
      size += sizeOf(outgoing);
    }
    return batch;
  }

  /** Of a batch of which a part has arrived only the rest goes out again. */
  #keepRest(length: number, sent: Readonly<Record<Signal, Sent>>): void {
    for (const [i, outgoing] of this.#waiting.slice(0, length).entries()) {
      const rest: Outgoing = {
        ...outgoing,
        spans: sent.spans.kind === "ok" ? [] : outgoing.spans,
        measurements: sent.measurements.kind === "ok" ? [] : outgoing.measurements,
        logs: sent.logs.kind === "ok" ? [] : outgoing.logs,
      };
      this.#size -= sizeOf(outgoing) - sizeOf(rest);
      this.#waiting[i] = rest;
    }
  }

  async #post(path: string, body: object | undefined): Promise<Sent> {
    if (!body) return { kind: "ok", rejected: 0 };
    const { endpoint, headers, mask } = this.#options;
    return post(endpoint + path, { body, headers, mask, signal: this.#abort.signal });
  }

  #lose(outgoing: readonly Outgoing[], because?: string): void {
    for (const lost of outgoing) for (const signal of SIGNALS) this.#lost[signal] += lost[signal].length;
    if (because !== undefined) this.#lost.because = because;
  }
}

const NOTHING: Outgoing = { spans: [], measurements: [], logs: [] };
