/**
 * Looking at the runs of a home and steering them, as data: what the command line, the HTTP API and MCP have in common. Whoever serves others opens a
 * `Control`; a command, which has a store and a person of its own, takes the parts of it.
 */
export type * from "./contract.ts";
export { openControl, type ControlOptions } from "./open-control.ts";
export { ControlError } from "./errors.ts";

// What people and programs may see.
export { maskData } from "./mask-data.ts";
export { openMasks } from "./masks.ts";
export { findStep } from "./find-step.ts";
export { liveByRun } from "./looking/live-attempts.ts";
export { reportHere } from "./looking/open-report.ts";
export { isQuiet, queueDepths, type QueueDepth } from "./looking/queue-depth.ts";
export { waitOf, type QuotaWait } from "./looking/quota-wait.ts";
export { reportRun, saidIn, type AttemptReport, type RunReport, type StepReport } from "./looking/report.ts";
export type { ShownAgent, ShownProvider, ShownSettings } from "./looking/settings.ts";
export { summarizeRuns, type RunSummary } from "./looking/summary.ts";
export { readable, Transcripts, type LogLine } from "./looking/transcripts.ts";

// The ledger summed up.
export { economicsOf, listPrices, settingsHere } from "./ledger/economics.ts";
export { readGates } from "./ledger/gates.ts";
export { readLedger, sinceTime } from "./ledger/read-ledger.ts";
export { toldSavings, type ToldCounterfactual, type ToldSavings } from "./ledger/savings.ts";
export { zoneOf, type Zone } from "./ledger/time-zone.ts";

// What a person asks of a run.
export { nameOf, request, type Asking } from "./request.ts";
export { answerAs, isTaken } from "./steering/answer.ts";
export { requireAgain } from "./steering/again.ts";
export { requestCancel, whenOver } from "./steering/cancel.ts";
export { giveFeedback } from "./steering/feedback.ts";
export { ACTOR_VARIABLE, createLauncher } from "./steering/launch.ts";
export { mergeRun, type MergeDone, type MergeWanted } from "./steering/merge.ts";
export { reassignStep } from "./steering/reassignment.ts";

// Reports in Markdown.
export { ReportWriter } from "./run-report/writer.ts";
