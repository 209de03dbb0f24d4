/** What pages get their data from: see README.md beside this file. */
export { actions, can, useActions, type Actions } from "./actions.ts";
export { asProblem, Problem } from "./api/problem.ts";
export * from "./api/shapes.ts";
export { startLive, useConnection, useLive, useNow } from "./live.ts";
export {
  fetchLogs,
  useAgents,
  useCost,
  useDiff,
  useDoctor,
  useGates,
  useInbox,
  useMe,
  useOlderRuns,
  useOverview,
  usePrompt,
  useRun,
  useRunStatus,
  useSettings,
  type LogFilter,
  type Part,
  type RunStatus,
} from "./queries.ts";
export { useRunEvents } from "./run-events.ts";
export { retryStream, type LiveAttempt } from "./stream-store.ts";
export type { Connection, LivenessItem } from "./stream/messages.ts";
export { giveAnswer, useGivenAnswers, type GivenAnswer } from "./answers.ts";
export { queryClient } from "./refresh.ts";
