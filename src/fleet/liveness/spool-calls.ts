import { isGatewayAlive, readSpool, type SpoolRecord } from "../../models/index.ts";
import type { Seen } from "./seen.ts";

export interface CallSeen {
  attempt: string;
  seen: Extract<Seen, { kind: "call-started" | "call-ended" }>;
}

/**
 * Tells the model calls of all attempts from the gateway's spool, which grows by a line when a call starts and by one when it is settled. A call
 * whose gateway is gone is over: nobody answers it any more.
 */
export class SpoolCalls {
  readonly #path: string;
  readonly #open = new Map<string, { attempt: string; gateway: string }>();
  #from: number;
  #id: string | undefined;

  /** `from`: byte position to begin at, e.g. that up to which the ledger has imported; calls before it are none of this engine's. */
  constructor(path: string, from = 0) {
    this.#path = path;
    this.#from = from;
  }

  /** What has happened since the last look. Refused calls are told as calls that ended at once. */
  look(now: number): CallSeen[] {
    // Asked before the spool is read: what a gateway wrote before it was gone is then in it.
    const gone = new Set([...this.#open.values()].map((call) => call.gateway).filter((gateway) => !isGatewayAlive(gateway)));
    let reading = readSpool(this.#path, this.#from);
    if (this.#id !== undefined && reading.id !== this.#id) {
      this.#open.clear();
      reading = readSpool(this.#path, 0);
    }
    this.#id = reading.id ?? this.#id;
    this.#from = reading.end;
    const seen = reading.records.map(({ record }) => this.#take(record));
    for (const [call, { attempt, gateway }] of this.#open) {
      if (!gone.has(gateway)) continue;
      this.#open.delete(call);
      seen.push({ attempt, seen: { kind: "call-ended", at: now, call } });
    }
    return seen;
  }

  #take(record: SpoolRecord): CallSeen {
    const { attempt, callId: call, at, gateway } = record;
    if (record.type === "reserved") {
      this.#open.set(call, { attempt, gateway });
      return { attempt, seen: { kind: "call-started", at, call } };
    }
    this.#open.delete(call);
    const { inputTokens, outputTokens, microUsd, durationMs } = record;
    return { attempt, seen: { kind: "call-ended", at: at + durationMs, call, tokens: inputTokens + outputTokens, microUsd } };
  }
}
