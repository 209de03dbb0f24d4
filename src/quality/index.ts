/** Whether work is good: the completion contract and the gates. Runs nothing of the agent's, reads nothing it says. */
export { judge, type Judged, type JudgeRequest } from "./judge.ts";
export { runGates, type CommandEnd, type GateRun } from "./gates/run.ts";
export { protectedPaths } from "./gates/protected.ts";
