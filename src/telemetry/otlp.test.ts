import { JsonLogsSerializer, JsonMetricsSerializer, JsonTraceSerializer } from "@opentelemetry/otlp-transformer";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { METRICS, type Attributes, type Measurement, type MetricName, type Span } from "./contract.ts";
import type { LogRecord } from "../logs/index.ts";
import { logsRequest, metricsRequest, tracesRequest } from "./otlp.ts";

/** What the official packages make of the same spans and measurements, as their own code reads them. */

const hex = (length: number) => fc.stringMatching(new RegExp(`^[0-9a-f]{${length}}$`));
const text = fc.string({ unit: "grapheme", maxLength: 20 });
const attributes: fc.Arbitrary<Attributes> = fc.dictionary(
  fc.stringMatching(/^[a-z._]{1,12}$/),
  fc.oneof(text, fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }), fc.boolean()),
  { maxKeys: 5, noNullPrototype: true },
);
const time = fc.integer({ min: 1_600_000_000_000, max: 2_000_000_000_000 });
const span: fc.Arbitrary<Span> = fc
  .record({
    traceId: hex(32),
    spanId: hex(16),
    parentSpanId: fc.option(hex(16), { nil: undefined }),
    name: text,
    kind: fc.constantFrom("internal", "client"),
    startAt: time,
    took: fc.integer({ min: 0, max: 1e9 }),
    attributes,
    error: fc.option(text, { nil: undefined }),
  })
  .map(({ took, ...s }): Span => ({ ...s, kind: s.kind as Span["kind"], endAt: s.startAt + took }));

const hrTime = (ms: number): [number, number] => [Math.floor(ms / 1000), (ms % 1000) * 1_000_000];
const resource = { attributes: { "service.name": "stepfall" } };
const scope = { name: "stepfall" };

function official(spans: readonly Span[]): unknown {
  const contextOf = (s: Span, spanId: string) => ({ traceId: s.traceId, spanId, traceFlags: 1 });
  const readable = spans.map((s) => ({
    name: s.name,
    kind: s.kind === "client" ? 2 : 0,
    spanContext: () => contextOf(s, s.spanId),
    parentSpanContext: s.parentSpanId === undefined ? undefined : contextOf(s, s.parentSpanId),
    startTime: hrTime(s.startAt),
    endTime: hrTime(s.endAt),
    status: s.error === undefined ? { code: 0 } : { code: 2, message: s.error },
    attributes: s.attributes,
    links: [],
    events: [],
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
    resource,
    instrumentationScope: scope,
  }));
  return parse(JsonTraceSerializer.serializeRequest(readable as never));
}

const parse = (bytes: Uint8Array | undefined): unknown => JSON.parse(new TextDecoder().decode(bytes));
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

describe("OTLP as JSON", () => {
  test("spans are written as the official serializer writes them", () => {
    fc.assert(
      fc.property(fc.array(span, { minLength: 1, maxLength: 5 }), (spans) => {
        expect(plain(tracesRequest(spans))).toEqual(official(spans));
      }),
      { numRuns: 100 },
    );
  });

  test("so are counters and histograms", () => {
    const of: Attributes = { "gen_ai.provider.name": "p", n: 1 };
    const [from, to] = [1_700_000_000_000, 1_700_000_002_500];
    const measured: Measurement[] = [
      { name: "stepfall.cost", value: 5, attributes: of },
      { name: "stepfall.cost", value: 7, attributes: of },
      { name: "stepfall.attempt.queue_wait", value: 0.1, attributes: of },
      { name: "stepfall.attempt.queue_wait", value: 0.25, attributes: of },
      { name: "stepfall.attempt.queue_wait", value: 9999, attributes: of },
    ];
    const { bounds } = METRICS["stepfall.attempt.queue_wait"];
    const descriptorOf = (name: MetricName) => ({ name, unit: METRICS[name].unit, description: METRICS[name].description });
    const times = { startTime: hrTime(from), endTime: hrTime(to), attributes: of };
    const metrics = [
      {
        descriptor: { ...descriptorOf("stepfall.cost"), type: "COUNTER", valueType: 0 },
        aggregationTemporality: 0,
        dataPointType: 3,
        isMonotonic: true,
        dataPoints: [{ ...times, value: 12 }],
      },
      {
        descriptor: { ...descriptorOf("stepfall.attempt.queue_wait"), type: "HISTOGRAM", valueType: 1 },
        aggregationTemporality: 0,
        dataPointType: 0,
        dataPoints: [
          {
            ...times,
            value: {
              buckets: { boundaries: bounds, counts: [0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 1] },
              sum: 9999.35,
              count: 3,
              min: 0.1,
              max: 9999,
            },
          },
        ],
      },
    ];
    const theirs = parse(JsonMetricsSerializer.serializeRequest({ resource, scopeMetrics: [{ scope, metrics }] } as never));
    expect(plain(metricsRequest(measured, { from, to }))).toEqual(theirs);
  });

  test("lines of the log are what the official serializer makes of them, and stand in the trace of their run", () => {
    const record: LogRecord = {
      at: 1_700_000_000_123,
      level: "warn",
      process: "driver",
      pid: 7,
      room: "engine",
      event: "attempt-lease-lost",
      message: "its lease was taken over",
      run: "01run",
      attempt: "01run/fix#1",
      traceId: "0af7651916cd43dd8448eb211c80319c",
      spanId: "b7ad6b7169203331",
      data: { epoch: 3, agent: "coder" },
      error: { code: "STORE_BUSY", message: "busy", stack: "Error: busy\n  at x" },
    };
    const official = {
      hrTime: hrTime(record.at),
      hrTimeObserved: hrTime(record.at),
      severityNumber: 13,
      severityText: "WARN",
      body: record.message,
      eventName: "stepfall.attempt-lease-lost",
      spanContext: { traceId: record.traceId, spanId: record.spanId, traceFlags: 1 },
      resource,
      instrumentationScope: scope,
      droppedAttributesCount: 0,
      attributes: {
        "process.pid": 7,
        "stepfall.process": "driver",
        "stepfall.room": "engine",
        "stepfall.run.id": "01run",
        "stepfall.attempt.id": "01run/fix#1",
        "error.type": "STORE_BUSY",
        "exception.message": "busy",
        "exception.stacktrace": "Error: busy\n  at x",
        "stepfall.data.epoch": 3,
        "stepfall.data.agent": "coder",
      },
    };
    expect(plain(logsRequest([record]))).toEqual(parse(JsonLogsSerializer.serializeRequest([official] as never)));
  });

  test("every value lands in one bucket, the one that its bounds say", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 100_000_000 }), { minLength: 1 }), (values) => {
        const request = metricsRequest(
          values.map((value) => ({ name: "gen_ai.client.token.usage", value, attributes: {} })),
          { from: 0, to: 1 },
        );
        const [metric] = request.resourceMetrics[0]?.scopeMetrics[0]?.metrics ?? [];
        const point = (metric as unknown as { histogram: { dataPoints: [Record<string, number & number[]>] } }).histogram.dataPoints[0];
        const { bounds } = METRICS["gen_ai.client.token.usage"];
        const counts = [...bounds, Infinity].map(
          (bound, i) => values.filter((v) => v <= bound && (i === 0 || v > (bounds[i - 1] ?? 0))).length,
        );
        expect(point["bucketCounts"]).toEqual(counts);
        expect(point["count"]).toBe(values.length);
      }),
    );
  });
});
