/**
 * The ledger: every token and micro-dollar, by attempt, with its provenance. It is filled from the gateway's spool and read from the store.
 */
export { importSpool, type Imported, type ImportOptions } from "./import.ts";
export { addUsage, sumCalls, usageOf, type UsageOf } from "./usage.ts";
export { billOf, type Bill, type BillRow, type OwnWord } from "./bill.ts";
export { importOutcomes, outcomesOf, type OutcomesImport } from "./outcomes.ts";
export { dimensions, viewBy, type Dimension, type LedgerData, type View, type ViewRow } from "./views.ts";
export { ENOUGH_TRUTH, gateReport, judgementsOf, type GateReport, type Judgement } from "./gate-report.ts";
export { proportion, type Proportion } from "./proportion.ts";
