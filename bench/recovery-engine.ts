import { writeSync } from "node:fs";
import { emptyRun } from "../src/domain/index.ts";
import { openRun } from "../src/setup/open-run.ts";

/**
 * A fresh process that goes on with a run, wired as `stepfall resume` is, and says how long it took from `engine.drive` until `reattached` attempts
 * were taken up and `started` ones begun, all of it durable. What it is to do is one JSON argument. It then goes on driving, until it is killed.
 */
export interface EngineOrder {
  runId: string;
  project: string;
  base: string;
  reattached: number;
  started: number;
}

/** Milliseconds since `engine.drive` was called. */
export interface EngineWord {
  /** The first commit of this engine's own. */
  firstCommitMs: number;
  dispatchedMs: number;
  /** What this process took of the processors for it, all its threads together: says the same on a busy machine as on an idle one. */
  cpuMs: number;
}

const { runId, project, base, reattached, started } = JSON.parse(process.argv[2] ?? "") as EngineOrder;
const cli = { env: { ...process.env }, cwd: process.cwd(), clock: { now: () => Date.now() } };
// Not the run as its journal says: reading it here would warm up what is measured.
const opened = await openRun(cli, { ...emptyRun(), runId, project, base });
const { assembled, workspaces } = opened;
const missing = { AttemptReattached: reattached, AttemptStarted: started };
let began = 0;
let firstCommitMs: number | undefined;
assembled.listen((item) => {
  if (item.kind !== "event") return;
  const since = performance.now() - began;
  firstCommitMs ??= since;
  const { type } = item.event;
  if (type !== "AttemptReattached" && type !== "AttemptStarted") return;
  missing[type] -= 1;
  if (missing.AttemptReattached > 0 || missing.AttemptStarted > 0) return;
  const { user, system } = process.cpuUsage(cpu);
  writeSync(1, `${JSON.stringify({ firstCommitMs, dispatchedMs: since, cpuMs: (user + system) / 1000 } satisfies EngineWord)}\n`);
});
const cpu = process.cpuUsage();
began = performance.now();
await assembled.engine.drive(runId, { workspaces, waitForPeople: true });
