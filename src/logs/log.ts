import type { LogLevel } from "../config/index.ts";
import type { Clock } from "../domain/index.ts";
import type { Log, LogAbout, LogData, LogMore, LogRecord, LogSink } from "./contract.ts";
import { Flood } from "./flood.ts";
import { spanIdOf, traceIdOf } from "./trace-ids.ts";

const RANKS: Readonly<Record<LogLevel | "off", number>> = { debug: 0, info: 1, warn: 2, error: 3, off: 4 };
const MOST_MESSAGE = 2000;
const MOST_STACK = 6000;
const MOST_VALUE = 500;

export interface LogOptions {
  /** What the process is. */
  process: string;
  pid: number;
  clock: Clock;
  /** The least that is said. */
  level: LogLevel | "off";
  mask: (text: string) => string;
  sinks: readonly LogSink[];
}

/** A log that says the same thing so often a minute at most: the disk belongs to the runs. */
export function createLog(options: LogOptions): Log {
  return logAbout(options, new Flood(), {});
}

function logAbout(options: LogOptions, flood: Flood, about: LogAbout): Log {
  const say = (level: LogLevel, event: string, message: string, more: LogMore = {}): void => {
    if (RANKS[level] < RANKS[options.level]) return;
    try {
      const at = options.clock.now();
      const passed = flood.pass(event, at);
      if (!passed.ok) return;
      const record = recordOf(options, { at, level, event, message }, { ...about, ...stated(more) }, passed.heldBack);
      for (const sink of options.sinks) give(sink, record);
    } catch {
      // Whatever is wrong with a line, it is no reason for a run to stop.
    }
  };
  return {
    debug: (...said) => say("debug", ...said),
    info: (...said) => say("info", ...said),
    warn: (...said) => say("warn", ...said),
    error: (...said) => say("error", ...said),
    child: (more) => logAbout(options, flood, { ...about, ...stated(more) }),
  };
}

function give(sink: LogSink, record: LogRecord): void {
  try {
    sink(record);
  } catch {
    // The other one may still take it.
  }
}

function recordOf(
  { process, pid, mask }: LogOptions,
  { at, level, event, message }: Pick<LogRecord, "at" | "level" | "event" | "message">,
  { room, run: given, step, attempt, error, data }: LogMore,
  heldBack: number,
): LogRecord {
  const text = (value: string, most: number): string => cut(mask(value), most);
  // `RUN/STEP#N`, see domain/ids.ts.
  const run = given ?? attempt?.slice(0, Math.max(0, attempt.indexOf("/")));
  const kept = run === undefined || run === "" ? {} : { run: text(run, MOST_VALUE), traceId: traceIdOf(run), spanId: spanOf(run, attempt) };
  const values = dataOf({ ...data, ...(heldBack > 0 ? { heldBack } : {}) }, text);
  return {
    at,
    level,
    process,
    pid,
    ...(room === undefined ? {} : { room }),
    event,
    message: text(message, MOST_MESSAGE),
    ...kept,
    ...(step === undefined ? {} : { step: text(step, MOST_VALUE) }),
    ...(attempt === undefined ? {} : { attempt: text(attempt, MOST_VALUE) }),
    ...(values ? { data: values } : {}),
    ...(error === undefined ? {} : { error: errorOf(error, text) }),
  };
}

const spanOf = (run: string, attempt: string | undefined): string =>
  attempt === undefined ? spanIdOf("run", run) : spanIdOf("attempt", attempt);

function dataOf(data: LogData, text: (value: string, most: number) => string): LogData | undefined {
  const entries = Object.entries(data).flatMap(([key, value]): [string, string | number | boolean][] =>
    value === undefined ? [] : [[key, typeof value === "string" ? text(value, MOST_VALUE) : value]],
  );
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}

function errorOf(error: unknown, text: (value: string, most: number) => string): NonNullable<LogRecord["error"]> {
  if (!(error instanceof Error)) return { message: text(String(error), MOST_MESSAGE) };
  const { code } = error as { code?: unknown };
  const causes: string[] = [];
  for (let cause = error.cause, i = 0; cause instanceof Error && i < 5; cause = cause.cause, i += 1)
    causes.push(`caused by ${cause.stack ?? cause.message}`);
  const stack = [error.stack, ...causes].filter((part) => part !== undefined).join("\n");
  return {
    ...(typeof code === "string" ? { code } : {}),
    message: text(error.message, MOST_MESSAGE),
    ...(stack === "" ? {} : { stack: text(stack, MOST_STACK) }),
  };
}

const stated = <T extends object>(about: T): T => Object.fromEntries(Object.entries(about).filter(([, value]) => value !== undefined)) as T;
const cut = (text: string, most: number): string => (text.length > most ? `${text.slice(0, most - 1)}…` : text);
