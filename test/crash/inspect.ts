import { existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { processStartTime } from "../../src/agents/index.ts";
import { isDead } from "../../src/setup/identity.ts";
import type { Recorded } from "../../src/domain/index.ts";
import { importSpool, type ServedCall } from "../../src/models/index.ts";
import { openSqliteStore, type CallRow, type Store } from "../../src/store/index.ts";
import type { VictimScene } from "./victim-scene.ts";

/** What is wrong after a crash and a resume. `orphan`: something is left that nobody owns. */
export interface Problem {
  kind: "lost" | "doubled" | "orphan";
  text: string;
}

export interface ProcessSeen {
  pid: number;
  startTime: string;
  attempt: string;
}

/** Processes of a run's attempts, found by their environment. */
export function processesOf(runId: string): ProcessSeen[] {
  const found: ProcessSeen[] = [];
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const entry = readFileSync(`/proc/${name}/environ`, "utf8")
        .split("\0")
        .find((e) => e.startsWith(`STEPFALL_ATTEMPT=${runId}/`));
      const startTime = processStartTime(Number(name));
      if (entry && startTime) found.push({ pid: Number(name), startTime, attempt: entry.slice("STEPFALL_ATTEMPT=".length) });
    } catch {
      // It ended in the meantime.
    }
  }
  return found;
}

/** Whether a gate of the run is at work in a checkout of the merge queue. */
export const isCheckingMerge = (runId: string): boolean =>
  processesOf(runId).some(({ pid }) => {
    try {
      return readlinkSync(`/proc/${pid}/cwd`).includes("/check-merge/") && readFileSync(`/proc/${pid}/cmdline`, "utf8").startsWith("sleep");
    } catch {
      return false;
    }
  });

export interface Inspection {
  problems: Problem[];
  /** The run exists in the journal. */
  exists: boolean;
  tree: string | undefined;
  attempts: number;
  interrupted: number;
  /** Calls the endpoint saw cut. */
  cutCalls: number;
}

/** Everything that must hold of a finished run, whatever happened to its engines. `served`: what the endpoint served for it. */
export async function inspectRun(
  victim: VictimScene,
  runId: string,
  expected: { served: readonly ServedCall[]; tree: string | undefined; left: readonly ProcessSeen[]; ran: readonly string[] },
): Promise<Inspection> {
  const { scene } = victim;
  const problems: Problem[] = [];
  const say = (kind: Problem["kind"], text: string): void => void problems.push({ kind, text });
  const store = await openSqliteStore({ file: join(scene.home, "stepfall.db"), clock: { now: () => Date.now() } });
  try {
    const events = await store.read(`run:${runId}`);
    const inspection: Inspection = { problems, exists: events.length > 0, tree: undefined, attempts: 0, interrupted: 0, cutCalls: 0 };
    inspection.attempts = events.filter((e) => e.event.type === "AttemptStarted").length;
    inspection.interrupted = events.filter((e) => e.event.type === "AttemptInterrupted").length;
    inspection.cutCalls = expected.served.filter((c) => c.outcome !== "completed").length;
    if (inspection.exists) {
      checkJournal(events, say);
      const branch = `stepfall/${runId}`;
      checkBranch(
        events,
        scene.git("log", "--first-parent", "--format=%(trailers:key=Stepfall-Attempt,valueonly,separator=%x2C)", `main..${branch}`),
        say,
      );
      inspection.tree = scene.git("rev-parse", `${branch}^{tree}`);
      if (expected.tree && inspection.tree !== expected.tree)
        say("lost", `the tree is ${inspection.tree}, undisturbed it is ${expected.tree}`);
      await checkStore(store, runId, say);
      await checkBill(victim, store, runId, events, expected.served, say);
      checkEffects(events, expected.ran, say);
    }
    for (const p of [...processesOf(runId), ...expected.left.filter((l) => processStartTime(l.pid) === l.startTime)])
      say("orphan", `process ${p.pid} of ${p.attempt} still runs`);
    const folder = join(scene.home, "workspaces", runId);
    if (existsSync(folder)) for (const name of readdirSync(folder)) say("orphan", `workspace ${name} is left`);
    const processes = join(scene.home, "processes");
    if (existsSync(processes))
      for (const name of readdirSync(processes)) if (name.includes(runId)) say("orphan", `process record ${name} is left`);
    const status = scene.git("status", "--porcelain");
    if (status !== "") say("lost", `the user's checkout changed: ${status}`);
    if (scene.git("rev-parse", "--abbrev-ref", "HEAD") !== "main") say("lost", "the user's HEAD moved");
    return inspection;
  } finally {
    await store.close();
  }
}

type Say = (kind: Problem["kind"], text: string) => void;

function checkJournal(events: readonly Recorded[], say: Say): void {
  const last = events.at(-1)?.event;
  if (last?.type !== "RunFinished" || last.data.outcome !== "succeeded") say("lost", `the run ends with ${JSON.stringify(last)}`);
  const accepted = new Map<string, string>();
  const merged = new Map<string, number>();
  const completed = new Map<string, number>();
  const open = new Map<string, string>();
  for (const { event } of events) {
    switch (event.type) {
      case "AttemptStarted": {
        const { step, attempt } = event.data;
        if (accepted.has(step)) say("doubled", `${attempt} started after ${accepted.get(step)} was accepted`);
        if (open.has(step)) say("doubled", `${attempt} started while ${open.get(step)} was not over`);
        open.set(step, attempt);
        break;
      }
      case "AttemptAccepted":
        if (accepted.has(event.data.step)) say("doubled", `${event.data.step} was accepted twice`);
        accepted.set(event.data.step, event.data.attempt);
        open.delete(event.data.step);
        break;
      case "AttemptRejected":
      case "AttemptFailed":
      case "AttemptInterrupted":
        open.delete(event.data.step);
        break;
      case "MergeRefused":
        accepted.delete(event.data.step);
        break;
      case "ResultMerged":
        merged.set(event.data.attempt, (merged.get(event.data.attempt) ?? 0) + 1);
        break;
      case "StepCompleted":
        completed.set(event.data.step, (completed.get(event.data.step) ?? 0) + 1);
        break;
      default:
    }
    if (event.type === "AttemptFailed") say("lost", `${event.data.attempt} failed: ${event.data.kind}: ${event.data.message}`);
  }
  for (const step of ["left", "right", "fix", "join"]) {
    const attempt = accepted.get(step);
    if (!attempt) say("lost", `${step} was never accepted`);
    else if (merged.get(attempt) !== 1)
      say(merged.has(attempt) ? "doubled" : "lost", `${attempt} was merged ${merged.get(attempt) ?? 0} times`);
    if (completed.get(step) !== 1) say(completed.has(step) ? "doubled" : "lost", `${step} completed ${completed.get(step) ?? 0} times`);
  }
  if (merged.size > accepted.size) say("doubled", `${merged.size} attempts were merged for ${accepted.size} steps`);
}

/** The git side of the same: one merge commit for each merged attempt, and none besides. */
function checkBranch(events: readonly Recorded[], log: string, say: Say): void {
  const inGit = log.split("\n").filter(Boolean).sort();
  const inJournal = events.flatMap(({ event }) => (event.type === "ResultMerged" ? [event.data.attempt] : [])).sort();
  for (const [i, attempt] of inGit.entries()) if (attempt === inGit[i + 1]) say("doubled", `the branch holds two merges of ${attempt}`);
  for (const attempt of inJournal) if (!inGit.includes(attempt)) say("lost", `the branch holds no merge of ${attempt}`);
  for (const attempt of inGit)
    if (!inJournal.includes(attempt)) say("doubled", `the branch holds ${attempt}, which the journal did not merge`);
}

async function checkStore(store: Store, runId: string, say: Say): Promise<void> {
  const { queued, leased } = await store.queueStats(runId);
  if (queued + leased > 0) say("orphan", `${queued} queued and ${leased} leased entries are left`);
  for (const lease of await store.leases(`${runId}/`)) say("orphan", `the lease ${lease.key} is left`);
  // A driver that died after its very last commit leaves its own lease to run out: the holder is known dead and the run is over.
  for (const lease of await store.leases(`run:${runId}`))
    if (!isDead(lease.holder)) say("orphan", `${lease.holder} still holds ${lease.key}`);
  const [row] = await store.runs({ runId });
  if (row?.status !== "succeeded" || row.stepsDone !== row.stepsTotal) say("lost", `ps shows ${JSON.stringify(row)}`);
}

async function checkBill(
  { scene }: VictimScene,
  store: Store,
  runId: string,
  events: readonly Recorded[],
  served: readonly ServedCall[],
  say: Say,
): Promise<void> {
  const spoolPath = join(scene.home, "gateway", "spool.ndjson");
  for (let i = 0; (await importSpool({ spoolPath, store })).open > 0 && i < 100; i++) await sleep(50);
  const rows = (await store.calls({ runId })).filter((c) => c.outcome !== "refused");
  if (new Set(rows.map((r) => r.callId)).size !== rows.length) say("doubled", "a call is in the ledger twice");
  const figures = (input: number, cached: number, output: number): string => `${input}/${cached}/${output}`;
  const left = served.map((c) => figures(c.promptTokens, c.cachedTokens, c.completionTokens));
  const counted: CallRow[] = [];
  for (const row of rows) {
    if (row.provenance !== "reported") counted.push(row);
    else {
      const at = left.indexOf(figures(row.inputTokens, row.cachedInputTokens, row.outputTokens));
      if (at < 0) say("doubled", `the ledger holds a call that was not served: ${JSON.stringify(row)}`);
      else left.splice(at, 1);
    }
  }
  // What was cut stands in the ledger as a figure that is no report, once. One that was reserved and never sent is `unknown`, too.
  if (left.length > counted.length) say("lost", `${left.length} served calls are not billed as reported, and ${counted.length} otherwise`);
  const sent = counted.filter((r) => r.provenance === "estimated" && r.inputTokens > 0).length;
  if (sent > left.length) say("doubled", `${sent} calls are estimated, ${left.length} were cut`);
  for (const { event } of events) {
    if (!("attempt" in event.data) || !("usage" in event.data) || !event.data.usage) continue;
    const { attempt, usage } = event.data;
    const own = rows.filter((r) => r.attempt === attempt).reduce((sum, r) => sum + r.microUsd, 0);
    if (own !== usage.microUsd) say("doubled", `${attempt} costs ${usage.microUsd} in the journal and ${own} in the ledger`);
  }
}

/** Effects outside git: a command of an attempt ran at most once, the one of the accepted attempt exactly once. */
function checkEffects(events: readonly Recorded[], ran: readonly string[], say: Say): void {
  for (const attempt of new Set(ran)) {
    const times = ran.filter((r) => r === attempt).length;
    if (times > 1) say("doubled", `the command of ${attempt} ran ${times} times`);
  }
  for (const { event } of events) {
    if (event.type !== "AttemptAccepted" || !["left", "right", "join"].includes(event.data.step)) continue;
    if (!ran.includes(event.data.attempt)) say("lost", `the command of the accepted ${event.data.attempt} never ran`);
  }
}
