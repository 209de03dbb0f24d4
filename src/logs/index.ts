/** What Stepfall's own processes have to say beside the journal: lines of JSON in the home, bounded in size and age, never in the way of a run. */
export { noLog, type Log, type LogAbout, type LogData, type LogMore, type LogRecord, type LogSink } from "./contract.ts";
export { openLogFile } from "./day-files.ts";
export { createLog, type LogOptions } from "./log.ts";
export { SystemLog, type SystemLine } from "./read-lines.ts";
export { spanIdOf, traceIdOf, traceparentOf } from "./trace-ids.ts";
