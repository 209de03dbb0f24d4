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
  entryTier,
  gateQuality,
  learnOutcomes,
  type Candidate,
  type GateQuality,
  type OutcomeRow as TaughtRow,
  type Outcomes,
} from "./economics/index.ts";
