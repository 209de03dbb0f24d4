import type { LogRecord } from "../logs/index.ts";
import { METRICS, type Attributes, type Measurement, type MetricName, type Span } from "./contract.ts";

/**
 * OTLP over HTTP as JSON: requests for /v1/traces, /v1/metrics and /v1/logs. Written by hand, since the official packages are 25 MB and take some 400 ms to load;
 * otlp.test.ts holds it against the official serializer.
 */

const SCOPE = { name: "stepfall" };
const SERVICE = [{ key: "service.name", value: { stringValue: "stepfall" } }];
const DELTA = 1;
const KINDS = { internal: 1, client: 3 } as const;
/** The trace is sampled, and what is known of the parent says that it is of this process. */
const FLAGS = 0x101;

/** Nanoseconds do not fit into a number: text, as the format wants it. */
const nanos = (ms: number): string => (BigInt(Math.round(ms * 1000)) * 1000n).toString();

const attributesOf = (attributes: Attributes) => Object.entries(attributes).map(([key, value]) => ({ key, value: valueOf(value) }));

function valueOf(value: string | number | boolean) {
  if (typeof value === "string") return { stringValue: value };
  if (typeof value === "boolean") return { boolValue: value };
  return Number.isInteger(value) ? { intValue: value } : { doubleValue: value };
}

export function tracesRequest(spans: readonly Span[]) {
  return {
    resourceSpans: [
      {
        resource: { attributes: SERVICE, droppedAttributesCount: 0 },
        scopeSpans: [{ scope: SCOPE, spans: spans.map(otlpSpan) }],
      },
    ],
  };
}

function otlpSpan({ traceId, spanId, parentSpanId, name, kind, startAt, endAt, attributes, error }: Span) {
  return {
    traceId,
    spanId,
    ...(parentSpanId === undefined ? {} : { parentSpanId }),
    name,
    kind: KINDS[kind],
    startTimeUnixNano: nanos(startAt),
    endTimeUnixNano: nanos(Math.max(startAt, endAt)),
    attributes: attributesOf(attributes),
    droppedAttributesCount: 0,
    events: [],
    droppedEventsCount: 0,
    status: error === undefined ? { code: 0 } : { code: 2, message: error },
    links: [],
    droppedLinksCount: 0,
    flags: FLAGS,
  };
}

/** Of what was measured between two times: deltas, since processes of this kind are short. */
export function metricsRequest(measurements: readonly Measurement[], { from, to }: { from: number; to: number }) {
  const metrics = [...Map.groupBy(measurements, (m) => m.name)].map(([name, all]) => {
    const { kind, unit, description } = METRICS[name];
    const points = [...Map.groupBy(all, (m) => JSON.stringify(m.attributes)).values()].map((same) => {
      const of = { attributes: attributesOf(same[0]?.attributes ?? {}), startTimeUnixNano: nanos(from), timeUnixNano: nanos(to) };
      const values = same.map((m) => m.value);
      return kind === "counter" ? { ...of, asInt: sum(values) } : { ...of, ...spread(values, name) };
    });
    const data = { aggregationTemporality: DELTA, dataPoints: points };
    return { name, description, unit, ...(kind === "counter" ? { sum: { ...data, isMonotonic: true } } : { histogram: data }) };
  });
  return {
    resourceMetrics: [{ resource: { attributes: SERVICE, droppedAttributesCount: 0 }, scopeMetrics: [{ scope: SCOPE, metrics }] }],
  };
}

/** A bucket holds what is above the bound before it and not above its own; the last one what is above all. */
function spread(values: readonly number[], name: MetricName) {
  const metric = METRICS[name];
  const explicitBounds = metric.kind === "histogram" ? [...metric.bounds] : [];
  const bucketCounts = Array.from({ length: explicitBounds.length + 1 }, () => 0);
  for (const value of values) {
    const at = explicitBounds.findIndex((bound) => value <= bound);
    bucketCounts[at < 0 ? explicitBounds.length : at]! += 1;
  }
  return { count: values.length, sum: sum(values), bucketCounts, explicitBounds, min: Math.min(...values), max: Math.max(...values) };
}

const sum = (values: readonly number[]): number => values.reduce((all, value) => all + value, 0);

const SEVERITIES = { debug: 5, info: 9, warn: 13, error: 17 } as const;

/** Lines of the log. Those about a run stand in its trace. */
export function logsRequest(records: readonly LogRecord[]) {
  return {
    resourceLogs: [
      {
        resource: { attributes: SERVICE, droppedAttributesCount: 0 },
        scopeLogs: [{ scope: SCOPE, logRecords: records.map(otlpLog) }],
      },
    ],
  };
}

function otlpLog(record: LogRecord) {
  const { at, level, message, event, traceId, spanId } = record;
  return {
    timeUnixNano: nanos(at),
    observedTimeUnixNano: nanos(at),
    severityNumber: SEVERITIES[level],
    severityText: level.toUpperCase(),
    body: { stringValue: message },
    eventName: `stepfall.${event}`,
    attributes: attributesOf(logAttributes(record)),
    droppedAttributesCount: 0,
    ...(traceId === undefined || spanId === undefined ? {} : { flags: 1, traceId, spanId }),
  };
}

function logAttributes({ process, pid, room, run, step, attempt, data, error }: LogRecord): Attributes {
  const all: Record<string, string | number | boolean | undefined> = {
    "process.pid": pid,
    "stepfall.process": process,
    "stepfall.room": room,
    "stepfall.run.id": run,
    "stepfall.step.path": step,
    "stepfall.attempt.id": attempt,
    "error.type": error?.code,
    "exception.message": error?.message,
    "exception.stacktrace": error?.stack,
  };
  for (const [key, value] of Object.entries(data ?? {})) all[`stepfall.data.${key}`] = value;
  return Object.fromEntries(Object.entries(all).filter((entry): entry is [string, string | number | boolean] => entry[1] !== undefined));
}
