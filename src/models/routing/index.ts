export {
  routeStep,
  SHELL_AGENT,
  type Assignment,
  type TierStart,
  type RoutableAgent,
  type Route,
  type Routed,
  type RoutingContext,
  type TierOption,
} from "./route.ts";
export { climbByDefault, type EscalationPolicy, type Reached } from "./climb.ts";
export type { RoutingRule } from "./rules.ts";
export { scoreComplexity, stepTypeOf, type Complexity, type Factor } from "./complexity/index.ts";
export {
  advise,
  isReferenceAlone,
  entryTier,
  estimateRun,
  gateQuality,
  learnOutcomes,
  savings,
  type Advice,
  type Candidate,
  type CascadePlan,
  type Counterfactual,
  type Estimate,
  type GateQuality,
  type OutcomeRow as TaughtRow,
  type Outcomes,
  type PlannedStep,
  type RunEstimate,
  type Savings,
} from "./economics/index.ts";
