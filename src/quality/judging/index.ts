/**
 * Judging by models: whether work meets a rubric (the judge gate), and which of several candidates is best. The rules are pure; models are asked
 * through a function that is handed in.
 */
export type {
  Ask,
  BestOfCandidate,
  BestOfOutcome,
  BestOfRequest,
  Candidate,
  Criterion,
  Judge,
  JudgeAnswer,
  JudgeGateOutcome,
  JudgeGateRequest,
  JudgeQuestion,
  JudgeRecord,
  JudgeWord,
  JudgingCost,
  JudgingOptions,
  PairReason,
  Rubric,
} from "./contract.ts";
export { JudgeError, type JudgeErrorCode } from "./errors.ts";
export { runJudgeGate } from "./gate.ts";
export { pickBest } from "./best-of.ts";
export { createGatewayAsk, type GatewayAskOptions, type JudgeModel } from "./ask.ts";
export { decidePair, leanOf, type PairDecision, type PairRule, type PairWord } from "./pairs.ts";
export { learnWeighing, recordsOf, type KnownPair } from "./learn.ts";
export { weighByRecord, type Weighing } from "./weighing.ts";
