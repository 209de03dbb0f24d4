/** Whether work is good: the completion contract and the gates. Runs nothing of the agent's, reads nothing it says. */
export { judge, type Judged, type JudgeRequest } from "./judge.ts";
export { runGates } from "./gates/run.ts";
export type { CleanTree, CommandEnd, FileChange, GateRun, GatesEnd, Ruling } from "./gates/contract.ts";
export { protectedPaths } from "./gates/protected.ts";
export {
  createGatewayAsk,
  JudgeError,
  pickBest,
  runJudgeGate,
  type Ask,
  type BestOfCandidate,
  type BestOfOutcome,
  type Candidate,
  type Judge,
  type JudgeGateOutcome,
  type JudgeModel,
  type JudgingOptions,
} from "./judging/index.ts";
export { checkSyntax } from "./syntax/check.ts";
export type { Fault as SyntaxFault } from "./syntax/fault.ts";
export { extract } from "./extract/extract.ts";
export { ExtractStream } from "./extract/stream.ts";
export { applyEdits, refuseFaulty } from "./extract/apply.ts";
export type {
  Applied,
  CheckSyntax,
  Edit,
  EditProblem,
  Extraction,
  ExtractOptions,
  Hunk,
  ReadFile,
  RefusedPath,
  Unplaced,
} from "./extract/contract.ts";
