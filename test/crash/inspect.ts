import { existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Recorded } from "../../src/domain/index.ts";
import { machineFolder, PortBook } from "../../src/fleet/index.ts";
import { isDead } from "../../src/setup/identity.ts";
import { checkBill } from "./inspect-bill.ts";
import { checkBranch, checkEffects, checkJournal, restartedAgents } from "./inspect-journal.ts";
import type { Victim } from "./points.ts";
import { gatewayOf, isGateway, namesIn, processesIn, signal, type KeptAgent } from "./processes.ts";
import type { CrashScene } from "./scene.ts";

/** What is wrong after a crash and a resume. `orphan`: something is left that nobody owns. `restarted`: an agent did not finish. */
export interface Problem {
  kind: "lost" | "doubled" | "orphan" | "restarted";
  text: string;
}
export type Say = (kind: Problem["kind"], text: string) => void;

export interface Inspection {
  problems: Problem[];
  /** The run exists in the journal. */
  exists: boolean;
  tree: string | undefined;
  attempts: number;
  interrupted: number;
  reattached: number;
  failed: number;
  restarted: number;
  calls: number;
  /** Calls the endpoint saw cut. */
  cutCalls: number;
  /** Where something was wrong: what the journal says, a line an event. */
  journal?: string[];
}

export interface Expected {
  since: { served: number; ran: number; met: number };
  tree: string | undefined;
  struck: readonly string[];
  agents: readonly KeptAgent[];
  victims: readonly Victim[];
  isFrozen: boolean;
}

/** Everything that must hold of a finished run, whatever was killed meanwhile. */
export async function inspectRun(lane: CrashScene, runId: string, expected: Expected): Promise<Inspection> {
  const { scene, store } = lane;
  const problems: Problem[] = [];
  const say: Say = (kind, text) => void problems.push({ kind, text });
  const events = await store.read(`run:${runId}`);
  const served = lane.model.served().slice(expected.since.served);
  const count = (type: string): number => events.filter((e) => e.event.type === type).length;
  let tree: string | undefined;
  if (events.length > 0) {
    checkJournal(events, expected, say);
    const branch = `stepfall/${runId}`;
    const trailers = "%(trailers:key=Stepfall-Attempt,valueonly,separator=%x2C)";
    checkBranch(events, scene.git("log", "--first-parent", `--format=${trailers}`, `main..${branch}`), say);
    tree = scene.git("rev-parse", `${branch}^{tree}`);
    if (expected.tree && tree !== expected.tree) say("lost", `the tree is ${tree}, undisturbed it is ${expected.tree}`);
    checkEffects(events, lane.lines("ran").slice(expected.since.ran), say);
    await checkBill(lane, { runId, events, served, victims: expected.victims }, say);
    const [row] = await store.runs({ runId });
    if (row?.status !== "succeeded" || row.stepsDone !== row.stepsTotal) say("lost", `ps shows ${JSON.stringify(row)}`);
  }
  const restarted = restartedAgents(events, expected.agents);
  for (const text of restarted) say("restarted", text);
  await checkLeftovers(lane, runId, say);
  for (const met of lane.lines("met").slice(expected.since.met)) say("orphan", met);
  if (scene.git("status", "--porcelain") !== "") say("lost", `the user's checkout changed: ${scene.git("status", "--porcelain")}`);
  if (scene.git("rev-parse", "--abbrev-ref", "HEAD") !== "main") say("lost", "the user's HEAD moved");
  return {
    problems,
    exists: events.length > 0,
    tree,
    attempts: count("AttemptStarted"),
    interrupted: count("AttemptInterrupted"),
    reattached: count("AttemptReattached"),
    failed: count("AttemptFailed"),
    restarted: restarted.length,
    calls: served.length,
    cutCalls: served.filter((c) => c.outcome !== "completed").length,
    ...(problems.length > 0 ? { journal: events.map(lineOf) } : {}),
  };
}

function lineOf({ version, at, actor, event: { type, data } }: Recorded): string {
  const of = "attempt" in data ? data.attempt : "step" in data ? data.step : "";
  const more = "epoch" in data ? ` epoch ${data.epoch} on ${data.node}` : "because" in data ? ` ${data.because}` : "";
  return `${version} ${at} ${actor} ${type} ${of ?? ""}${more}`;
}

/** How long what was told to end may take to be gone. */
const LEAVE_MS = 5000;

async function checkLeftovers(lane: CrashScene, runId: string, say: Say): Promise<void> {
  const { folder, home } = lane.scene;
  const others = () => {
    const { holder, worker } = gatewayOf(home, folder);
    return processesIn(folder).filter((p) => p.pid !== holder?.pid && p.pid !== worker?.pid);
  };
  for (let waited = 0; others().length > 0 && waited < LEAVE_MS; waited += 100) await sleep(100);
  for (const p of others()) {
    say(
      "orphan",
      `process ${p.pid} still runs${p.attempt ? ` for ${p.attempt}` : ""}${isGateway(p) ? ", a gateway too many" : ""}: ${p.command.slice(0, 200)}`,
    );
    // The next run is not to be blamed for it.
    signal(p.pid, "SIGKILL");
  }
  const { queued, leased } = await lane.store.queueStats(runId);
  if (queued + leased > 0) say("orphan", `${queued} queued and ${leased} leased entries are left`);
  for (const lease of await lane.store.leases("")) {
    // A driver that died after its very last commit leaves its own lease to run out: the holder is known dead and the run is over.
    if (lease.key !== `run:${runId}` && !lease.key.startsWith(`${runId}/`)) continue;
    if (lease.key.startsWith("run:") && isDead(lease.holder)) continue;
    say("orphan", `${lease.holder} still holds ${lease.key}`);
  }
  if ((await lane.store.listInbox({ runId })).length > 0) say("orphan", "something of it still waits for people");
  for (const place of leftIn(home, runId)) say("orphan", `${place} is left`);
  const ports = new PortBook(machineFolder(home, process.getuid?.() ?? 0));
  const taken = ports.list().filter(({ attempt }) => attempt.startsWith(`${runId}/`));
  ports.close();
  for (const { attempt, purpose, first } of taken) say("orphan", `the ports from ${first} on are still taken for ${attempt} (${purpose})`);
}

/** Everything below the home that is named after the run, but for its transcripts and options. */
function leftIn(home: string, runId: string): string[] {
  const found: string[] = [];
  for (const room of namesIn(home)) {
    if (room === "runs") continue;
    for (const name of namesIn(join(home, room))) {
      if (!name.includes(runId)) continue;
      const inside = namesIn(join(home, room, name));
      // An empty folder of a run's workspaces holds nothing.
      if (room !== "workspaces" || inside.length > 0 || !existsSync(join(home, room, name))) found.push([room, name, ...inside].join("/"));
    }
  }
  return found;
}
