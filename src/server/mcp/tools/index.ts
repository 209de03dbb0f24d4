import type { Tool } from "../tool.ts";
import { getRun, listRuns } from "./look.ts";
import { answer, approve, inbox } from "./people.ts";
import { getDiff } from "./diff.ts";
import { getLogs } from "./logs.ts";
import { cost } from "./spending.ts";
import { doTasks, startRun } from "./start.ts";
import { cancel, listAgents, submitFeedback } from "./steer.ts";
import { waitRun } from "./wait.ts";

/** In the order in which a run is lived through. */
export const tools: readonly Tool[] = [
  doTasks,
  startRun,
  waitRun,
  getRun,
  listRuns,
  getDiff,
  getLogs,
  inbox,
  answer,
  approve,
  cancel,
  submitFeedback,
  cost,
  listAgents,
];
