/** The words of Stepfall as values: pipelines, events, the fold, `decide`. No I/O, no clock, no randomness. */
export * from "./money.ts";
export * from "./ids.ts";
export * from "./clock.ts";
export * from "./gates.ts";
export * from "./pipeline.ts";
export * from "./budgets.ts";
export {
  budgetName,
  parseBudgetAnswer,
  pauseText,
  raiseFor,
  suggestedRaise,
  type BudgetAnswer,
} from "./budget-pauses.ts";
export { isPaused } from "./lift-pause.ts";
export * from "./work-steps.ts";
export * from "./events.ts";
export * from "./state.ts";
export * from "./fold.ts";
export { quotaWait } from "./attempts.ts";
export { verdictOn, whyNoAnswer, type Verdict } from "./people.ts";
export { countsAsFailure, isOver } from "./steps.ts";
export * from "./overlap.ts";
export * from "./decide.ts";
export type { Decision } from "./decision.ts";
export { reworkTargets } from "./decide-people.ts";
export * from "./upcast.ts";
