import { currentAttempt, type RunEvent, type RunState } from "../domain/index.ts";
import type { HeldLease } from "../store/index.ts";
import type { EngineDeps } from "./contract.ts";
import type { Fact } from "./run-log.ts";

/**
 * What a dead driver left of a run: attempts that the journal has in flight and nobody works on. Their processes are ended first, then
 * they are recorded as interrupted, so that a new attempt never meets the old one's agent. Attempts on a node that lives keep
 * running there.
 */
export async function interruptOrphans(deps: EngineDeps, state: RunState, leases: readonly HeldLease[]): Promise<Fact[]> {
  const byKey = new Map(leases.map((l) => [l.key, l]));
  const now = deps.clock.now();
  const facts: Fact[] = [];
  for (const path of [...state.queued, ...state.running]) {
    const s = state.steps.get(path);
    const a = s && currentAttempt(s);
    if (!a) continue;
    const lease = byKey.get(a.id);
    // Queued and not reserved: it simply waits for this driver.
    if (a.phase === "queued" && !lease) continue;
    if (lease && lease.until > now && lease.holder !== deps.node && !deps.isDead(lease.holder)) continue;
    const ended = await deps.host.endLeftovers(a.id);
    const evidence = [
      lease ? `its node ${lease.holder} is dead` : "no node holds its lease",
      ended.length > 0 ? `processes ended: ${ended.map((p) => p.pid).join(", ")}` : "no process of it was left",
    ].join("; ");
    const event: RunEvent = {
      type: "AttemptInterrupted",
      data: { attempt: a.id, step: path, because: "the engine that ran it died", evidence },
    };
    facts.push({ events: [event], withdraw: [a.id], cause: "recovery" });
  }
  return facts;
}

/**
 * A dead driver may have been checking accepted work on the merged tree: the processes of that are ended, before the merge queue of this one
 * checks it again. The work itself stays accepted.
 */
export async function endLeftChecks(deps: EngineDeps, state: RunState): Promise<void> {
  for (const s of state.steps.values()) {
    const a = currentAttempt(s);
    if (a && (a.phase === "accepted" || a.phase === "merging")) await deps.host.endLeftovers(a.id);
  }
}
