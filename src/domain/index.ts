/** The words of Stepfall as values: pipelines, events, the fold, `decide`. No I/O, no clock, no randomness. */
export * from "./money.ts";
export * from "./ids.ts";
export * from "./clock.ts";
export * from "./pipeline.ts";
export * from "./work-steps.ts";
export * from "./events.ts";
export * from "./state.ts";
export * from "./fold.ts";
export { verdictOn, whyNoAnswer, type Verdict } from "./people.ts";
export { countsAsFailure, isOver } from "./steps.ts";
export * from "./overlap.ts";
export * from "./decide.ts";
export type { Decision } from "./decision.ts";
export { reworkTargets } from "./decide-people.ts";
export * from "./upcast.ts";
