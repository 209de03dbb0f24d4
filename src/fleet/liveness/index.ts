/** How a running attempt is, from what is seen of it. Pure but for `familyUse` and the live files. */
export { Activity } from "./activity.ts";
export { familyUse, type FamilyUse } from "./cpu-time.ts";
export { SpoolCalls, type CallSeen } from "./spool-calls.ts";
export { livePath, readLive, removeLive, writeLive } from "./live-file.ts";
export { liveness } from "./liveness.ts";
export { finishedIn, similarTo, type FinishedAttempt } from "./peers.ts";
export { limitsFor, stuckRule } from "./rule.ts";
export { risk, type Peer, type Risk, type RiskFactor } from "./risk.ts";
export {
  defaultLimits,
  type Action,
  type Liveness,
  type LivenessLimits,
  type LivenessState,
  type ProcessFound,
  type Seen,
} from "./seen.ts";
export { LivenessWatch, type LivenessItem, type WatchOptions } from "./watch.ts";
