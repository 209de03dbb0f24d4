/** Traces and metrics of runs, made from the journal and sent by OTLP where the settings say so. */
export type { Attributes, Ended, Measurement, MetricName, Span } from "./contract.ts";
export { spanIdOf, traceIdOf, traceparentOf } from "../logs/index.ts";
export type { Lost } from "./outbound.ts";
export { openTelemetry, parseHeaders, type Telemetry, type TelemetryOptions } from "./telemetry.ts";
export { RunTrace } from "./trace-run.ts";
