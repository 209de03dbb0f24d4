/**
 * The ledger: every token and micro-dollar, by attempt, with its provenance. It is filled from the gateway's spool and read from the store.
 */
export { importSpool, type Imported, type ImportOptions } from "./import.ts";
export { sumCalls, usageOf, type UsageOf } from "./usage.ts";
export { billOf, type Bill, type BillRow, type OwnWord } from "./bill.ts";
export { importOutcomes, outcomesOf, type OutcomesImport } from "./outcomes.ts";
