/**
 * Looking at the runs of a home and steering them, as data: what the command line, the HTTP API and MCP have in common. Commands take single files
 * of this room, so that each loads only what it uses.
 */
export type * from "./contract.ts";
export { openControl, type ControlOptions } from "./open-control.ts";
export { createLauncher } from "./launch.ts";
export { ControlError } from "./errors.ts";
export { maskData } from "./mask-data.ts";
export { readable } from "./transcripts.ts";
export type { AttemptReport, RunReport, StepReport } from "./report.ts";
export type { LogLine } from "./transcripts.ts";
export type { QueueDepth } from "./queue-depth.ts";
export type { RunSummary } from "./summary.ts";
export type { ShownAgent, ShownProvider, ShownSettings } from "./settings.ts";
export type { ToldSavings } from "./savings.ts";
