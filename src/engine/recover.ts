import { currentAttempt, parseAttemptId, type AttemptState, type RunEvent, type RunState, type Step } from "../domain/index.ts";
import type { HeldLease } from "../store/index.ts";
import type { Workspaces } from "../workspace/index.ts";
import type { EngineDeps } from "./contract.ts";
import { tearDownLeft } from "./ground.ts";
import { endAll, endKeys, livingWorkspace } from "./prepare-work.ts";
import type { Fact } from "./run-log.ts";

export interface Orphans {
  /** Nobody works on them; what was left of them is ended. */
  interrupted: { attempt: string; fact: Fact }[];
  /** Their engine is gone, and their agent is not: this engine goes on with them. */
  alive: { attempt: AttemptState; agent: string; lease: HeldLease | undefined }[];
}

/**
 * What a dead driver left of a run. Where an agent works on under its keeper, or has ended meanwhile, its attempt is taken up. For all
 * others their processes are ended first, then they are recorded as interrupted, so that a new attempt never meets the old one's agent.
 * Attempts on a node that lives keep running there.
 */
export async function findOrphans(
  deps: EngineDeps,
  workspaces: Workspaces,
  state: RunState,
  leases: readonly HeldLease[],
): Promise<Orphans> {
  const byKey = new Map(leases.map((l) => [l.key, l]));
  const now = deps.clock.now();
  const orphans: Orphans = { interrupted: [], alive: [] };
  for (const path of [...state.queued, ...state.running]) {
    const s = state.steps.get(path);
    const a = s && currentAttempt(s);
    if (!a) continue;
    const lease = byKey.get(a.id);
    // Queued and not reserved: it simply waits for this driver.
    if (a.phase === "queued" && !lease) continue;
    if (lease && lease.until > now && lease.holder !== deps.node && !deps.isDead(lease.holder)) continue;
    const agent = a.phase === "running" && a.agent !== undefined && deps.registry.has(a.agent) ? a.agent : undefined;
    if (agent !== undefined && (await livingWorkspace(deps, workspaces, state, a))) {
      orphans.alive.push({ attempt: a, agent, lease });
      continue;
    }
    const ended = await endAll(deps, a.id);
    await endKeys(deps, a);
    await tearDownAfter(deps, state.runId, a, s.step);
    const evidence = [
      lease ? `its node ${lease.holder} is dead` : "no node holds its lease",
      ended.length > 0 ? `processes ended: ${ended.join(", ")}` : "no process of it was left",
    ].join("; ");
    const event: RunEvent = {
      type: "AttemptInterrupted",
      data: { attempt: a.id, step: path, because: "the engine that ran it died", evidence },
    };
    orphans.interrupted.push({ attempt: a.id, fact: { events: [event], withdraw: [a.id], cause: "recovery" } });
  }
  return orphans;
}

/** What an engine that died could not undo any more. Its folders are still there, since they are removed after this. */
async function tearDownAfter(deps: EngineDeps, runId: string, { id, resumes }: AttemptState, step: Step): Promise<void> {
  const preparation = { deps, runId, attempt: id, step, signal: new AbortController().signal };
  // An agent that went on with an earlier attempt's conversation did so in that one's folder.
  await tearDownLeft(preparation, resumes?.folder ?? id).catch(() => undefined);
}

/**
 * A dead driver may have been checking accepted work on the merged tree: the processes of that are ended, before the merge queue of this one
 * checks it again. The work itself stays accepted. What keepers have on disk of attempts that are over goes: it may have died before it did that.
 */
export async function endLeftChecks(deps: EngineDeps, state: RunState): Promise<void> {
  for (const s of state.steps.values()) {
    const a = currentAttempt(s);
    if (a && (a.phase === "accepted" || a.phase === "merging")) {
      await endAll(deps, a.id);
      await tearDownAfter(deps, state.runId, a, s.step);
    }
  }
  for (const id of deps.keepers?.list() ?? []) {
    const ref = parseAttemptId(id);
    if (ref?.runId !== state.runId) continue;
    const a = state.steps.get(ref.stepPath)?.attempts.find((attempt) => attempt.id === id);
    if (a && a.phase !== "queued" && a.phase !== "running") await deps.keepers?.forget(id);
  }
}
