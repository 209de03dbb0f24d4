import type { LogLevel } from "../config/index.ts";

/** What a line is about. `attempt` implies its run. */
export interface LogAbout {
  /** Room of the code that says it: `engine`, `hooks`, `server`, `gateway`. */
  room?: string | undefined;
  run?: string | undefined;
  step?: string | undefined;
  attempt?: string | undefined;
}

export type LogData = Readonly<Record<string, string | number | boolean | undefined>>;

export interface LogMore extends LogAbout {
  /** Its code, message and stack are kept. */
  error?: unknown;
  data?: LogData;
}

/**
 * A process's log. `event` is a fixed word (`lease-lost`), to be searched and counted; `message` a sentence for a person. Nothing here ever throws or
 * waits for anything but the disk, and secrets are masked. What the journal has is not said again.
 */
export interface Log {
  debug(event: string, message: string, more?: LogMore): void;
  info(event: string, message: string, more?: LogMore): void;
  warn(event: string, message: string, more?: LogMore): void;
  error(event: string, message: string, more?: LogMore): void;
  /** The same log, about something. */
  child(about: LogAbout): Log;
}

/** One line: masked, and cut to what a line may be long. */
export interface LogRecord {
  /** Epoch ms. */
  at: number;
  level: LogLevel;
  /** What the process is: `driver`, `server`, `gateway`, `gateway-worker`. */
  process: string;
  pid: number;
  room?: string | undefined;
  event: string;
  message: string;
  run?: string | undefined;
  step?: string | undefined;
  attempt?: string | undefined;
  /** Of the run's trace; see trace-ids.ts. */
  traceId?: string | undefined;
  /** Of the attempt, or of the run. */
  spanId?: string | undefined;
  data?: LogData | undefined;
  error?: { code?: string | undefined; message: string; stack?: string | undefined } | undefined;
}

/** Where lines go. May throw: then the line is lost, and nothing else. */
export type LogSink = (record: LogRecord) => void;

/** For whoever was handed none. */
export const noLog: Log = { debug() {}, info() {}, warn() {}, error() {}, child: () => noLog };
