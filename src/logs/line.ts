import type { LogRecord } from "./contract.ts";

/** A line of the file. `trace_id` and `span_id` are called as OpenTelemetry calls them where logs are text. */
export function lineOf({
  at,
  level,
  process,
  pid,
  room,
  event,
  message,
  run,
  step,
  attempt,
  traceId,
  spanId,
  data,
  error,
}: LogRecord): string {
  const time = new Date(at).toISOString();
  const about = { time, level, process, pid, room, event, message, run, step, attempt };
  return JSON.stringify({ ...about, trace_id: traceId, span_id: spanId, data, error });
}
