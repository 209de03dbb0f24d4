/** Writes runs, and their phases, in Markdown while they are driven. Apart from index.ts: a command that drives loads no more than this. */
export { ReportWriter } from "./run-report/writer.ts";
