import type { Config } from "../config/index.ts";
import type { Engine } from "../engine/index.ts";
import type { Log, LogSink } from "../logs/index.ts";
import type { Store } from "../store/index.ts";
import { openTelemetry, parseHeaders, traceparentOf } from "../telemetry/index.ts";
import type { Surroundings } from "./surroundings.ts";

export interface OpenedTelemetry {
  /** The engine, with each run that it drives traced. */
  tracing<E extends Engine>(engine: E): E;
  /** For the agents of attempts. */
  traceparent(runId: string, attempt: string): string;
  /** Sends what is left, and tells what did not arrive. */
  close(): Promise<void>;
}

/** Only where the settings name an endpoint. */
export function startTelemetry(
  cli: Surroundings,
  { telemetry: settings, secrets, log: logs }: Config,
  { store, log, sinks, tell }: { store: Store; log: Log; sinks: LogSink[]; tell: (notice: string) => void },
): OpenedTelemetry | undefined {
  if (!settings) return undefined;
  const { endpoint, headersSecret } = settings;
  const secret = headersSecret === undefined ? "" : secrets.get(headersSecret);
  if (secret === undefined) tell(`telemetry: the secret ${headersSecret ?? ""} is not set; it is sent without headers`);
  const headers = parseHeaders(secret ?? "");
  const telemetry = openTelemetry({ store, clock: cli.clock, endpoint, headers, mask: (text) => secrets.mask(text), log });
  if (logs.otlp) sinks.push(telemetry.logs);
  return {
    traceparent: traceparentOf,
    tracing: (engine) => ({
      ...engine,
      async drive(runId, options) {
        const following = telemetry.follow(runId);
        try {
          return await engine.drive(runId, options);
        } finally {
          await following.finish();
        }
      },
    }),
    async close() {
      const { spans, measurements, logs: lines, because } = await telemetry.close();
      if (spans + measurements + lines === 0) return;
      const what = `${spans} spans, ${measurements} measurements and ${lines} lines of the log`;
      const text = `telemetry: ${what} did not reach ${endpoint}${because === undefined ? "" : `: ${because}`}`;
      log.warn("telemetry-lost", text, { room: "telemetry", data: { spans, measurements, lines } });
      tell(text);
    },
  };
}
