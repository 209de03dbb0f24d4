export type {
  About,
  Candidate,
  CascadePart,
  CascadePlan,
  Entry,
  Estimate,
  Expected,
  GateCounts,
  GateQuality,
  Interval,
  Objective,
  OutcomeRow,
  RankedEntry,
  SingleExpected,
} from "./contract.ts";
export { advise, isReferenceAlone, type Advice } from "./advise.ts";
export { entryTier } from "./entry.ts";
export { estimateRun, type PlannedStep, type RunEstimate } from "./estimate-run.ts";
export { gateQuality, statedGate } from "./gate-quality.ts";
export { extendOutcomes, learnOutcomes, type Outcomes } from "./outcomes.ts";
export { partOf } from "./part.ts";
export { planCascade, type PlanOptions } from "./plan.ts";
export { savings, type Counterfactual, type Savings } from "./savings.ts";
