import { runStream, type Clock, type Recorded } from "../domain/index.ts";
import { noLog, type Log, type LogSink } from "../logs/index.ts";
import type { CallRow, Store } from "../store/index.ts";
import { Outbound, type Lost } from "./outbound.ts";
import { RunTrace } from "./trace-run.ts";

const CLOSE_MS = 3000;

export interface TelemetryOptions {
  store: Pick<Store, "follow" | "read" | "calls" | "offset" | "commit">;
  clock: Clock;
  /** Base URL of an OTLP/HTTP receiver, without a trailing slash. */
  endpoint: string;
  headers: Readonly<Record<string, string>>;
  mask: (text: string) => string;
  /** Between sendings; default 2 s. */
  everyMs?: number;
  /** Most that `close` waits; default 3 s. */
  closeMs?: number;
  /** Told when the endpoint cannot be reached, and when a run can be followed no more. */
  log?: Log;
}

/** Traces and metrics of the runs that this process drives, made from the journal and sent on the side. */
export interface Telemetry {
  /** Until `finish`, which takes in what is committed by then. Neither rejects. */
  follow(runId: string): { finish(): Promise<void> };
  /** Takes lines of the log, to be sent as OTLP logs. */
  logs: LogSink;
  /** Sends what is left, for `closeMs` at most. What did not arrive in the life of this process. */
  close(): Promise<Lost>;
}

export function openTelemetry(options: TelemetryOptions): Telemetry {
  const { store, clock, endpoint, headers, mask, everyMs, closeMs = CLOSE_MS } = options;
  const log = (options.log ?? noLog).child({ room: "telemetry" });
  const outbound = new Outbound({
    endpoint,
    headers,
    clock,
    mask,
    ...(everyMs === undefined ? {} : { everyMs }),
    unreachable: (because) => log.warn("telemetry-unreachable", `${endpoint} cannot be reached: ${because}`),
    arrived: async (runId, version) => {
      await store.commit({ projections: [{ kind: "offset", key: offsetKey(runId), value: version }] });
    },
  });
  return {
    follow(runId) {
      const abort = new AbortController();
      const following = followRun(options, runId, outbound, abort.signal).catch((error: unknown) =>
        log.warn("telemetry-stopped", "the run is traced no further in this process", { run: runId, error }),
      );
      return {
        async finish() {
          abort.abort();
          await following;
        },
      };
    },
    logs: (record) => outbound.add({ spans: [], measurements: [], logs: [record] }),
    close: () => outbound.close(closeMs),
  };
}

/** Up to which version a run's spans have arrived: an engine that takes the run up sends those after it. */
const offsetKey = (runId: string): string => `telemetry:${runId}`;

async function followRun({ store, mask }: TelemetryOptions, runId: string, outbound: Outbound, signal: AbortSignal): Promise<void> {
  const arrived = await store.offset(offsetKey(runId));
  const trace = new RunTrace(runId, mask);
  let seen = 0;
  const take = async (recorded: Recorded): Promise<void> => {
    const calls = recorded.version > arrived ? await callsOf(store, recorded) : [];
    const ended = trace.take(recorded, () => calls);
    seen = recorded.version;
    if (recorded.version > arrived) outbound.add({ of: { runId, version: recorded.version }, ...ended, logs: [] });
  };
  for await (const recorded of store.follow(runStream(runId), { after: 0, signal })) await take(recorded);
  for (const recorded of await store.read(runStream(runId), { after: seen })) await take(recorded);
}

/** Calls of an attempt are in the ledger before its end is in the journal. */
async function callsOf(store: Pick<Store, "calls">, { event }: Recorded): Promise<readonly CallRow[]> {
  switch (event.type) {
    case "AttemptAccepted":
    case "AttemptRejected":
    case "AttemptFailed":
    case "AttemptInterrupted":
      return store.calls({ attempt: event.data.attempt });
    default:
      return [];
  }
}

/** `name=value,name=value`, values percent-encoded, as OTEL_EXPORTER_OTLP_HEADERS has them. */
export function parseHeaders(text: string): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const pair of text.split(",")) {
    const at = pair.indexOf("=");
    const name = pair.slice(0, at).trim();
    if (at < 1 || !/^[A-Za-z0-9-]+$/.test(name)) continue;
    headers[name] = decoded(pair.slice(at + 1).trim());
  }
  return headers;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
