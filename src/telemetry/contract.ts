/** Values that spans and data points carry. */
export type Attributes = Readonly<Record<string, string | number | boolean>>;

/** A span that is over. Times are epoch ms. Ids are hex, and the same whenever they are made again from the same journal. */
export interface Span {
  traceId: string;
  spanId: string;
  parentSpanId?: string | undefined;
  name: string;
  kind: "internal" | "client";
  startAt: number;
  endAt: number;
  attributes: Attributes;
  /** Absent: it went well. */
  error?: string | undefined;
}

/** One thing that was counted or measured. */
export type Measurement = {
  name: MetricName;
  value: number;
  attributes: Attributes;
};

/** Counters add up; histograms keep how values are spread, with these upper bounds of their buckets. */
export const METRICS = {
  "stepfall.attempts": { kind: "counter", unit: "{attempt}", description: "Attempts that came to an end" },
  "stepfall.cost": { kind: "counter", unit: "{micro_usd}", description: "What model calls have cost, micro-dollars" },
  "stepfall.gate.verdicts": { kind: "counter", unit: "{verdict}", description: "What gates said of attempts" },
  "stepfall.attempt.queue_wait": {
    kind: "histogram",
    unit: "s",
    description: "Time from the queue to the start of an attempt",
    bounds: [0.01, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 1800],
  },
  "gen_ai.invoke_agent.duration": {
    kind: "histogram",
    unit: "s",
    description: "Duration of an attempt, with its gates",
    // Those of the conventions go to 409.6 s; attempts of half an hour are usual here.
    bounds: [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 51.2, 102.4, 204.8, 409.6, 819.2, 1638.4, 3276.8],
  },
  "gen_ai.invoke_agent.inference_calls": {
    kind: "histogram",
    unit: "{inference_call}",
    description: "Model calls of an attempt that were metered",
    bounds: [1, 2, 4, 8, 16, 32, 64, 128],
  },
  "gen_ai.client.token.usage": {
    kind: "histogram",
    unit: "{token}",
    description: "Tokens of a model call",
    bounds: [1, 4, 16, 64, 256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216, 67_108_864],
  },
  "gen_ai.client.operation.duration": {
    kind: "histogram",
    unit: "s",
    description: "Duration of a model call",
    bounds: [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92],
  },
} as const satisfies Record<
  string,
  { unit: string; description: string } & ({ kind: "counter" } | { kind: "histogram"; bounds: readonly number[] })
>;
export type MetricName = keyof typeof METRICS;

/** What came to an end with one event. */
export interface Ended {
  spans: readonly Span[];
  measurements: readonly Measurement[];
}
