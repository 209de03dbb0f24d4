import { setTimeout as sleep } from "node:timers/promises";
import { gatewayOf, isThere, keptAgents, killMachine, signal, type KeptAgent } from "./processes.ts";
import type { Victim } from "./points.ts";
import type { CrashScene, EngineProcess } from "./scene.ts";

/** What was killed, and what was alive besides. */
export interface Strike {
  /** Nothing was there to be killed, and the run is over. */
  missed: boolean;
  /** Attempts whose agent or keeper was killed. */
  struck: string[];
  /** Agents that were on record when the engine died, and were not killed. */
  agents: KeptAgent[];
}

const LOOK_MS = 5;

/** Kills a victim of a run: now, or as soon as there is one. `pick` chooses among several (0 to 1). */
export async function strike(
  lane: CrashScene,
  { victim, runId, engine, pick }: { victim: Victim; runId: string; engine: EngineProcess; pick: number },
): Promise<Strike> {
  const { home, folder } = lane.scene;
  const none: Strike = { missed: false, struck: [], agents: [] };
  switch (victim) {
    case "engine": {
      const isKilled = engine.child.kill("SIGKILL");
      await engine.ended;
      return { ...none, missed: !isKilled, agents: livingAgents(home, runId) };
    }
    case "machine": {
      const missed = engine.child.exitCode !== null;
      const struck = keptAgents(home, runId).map((k) => k.attempt);
      killMachine(folder);
      await engine.ended;
      return { ...none, missed, struck };
    }
    case "keeper":
    case "agent": {
      const found = await whenThere(engine, () => {
        const all = keptAgents(home, runId).filter((k) => !k.isOver && k[victim] !== undefined && isThere(k[victim]));
        return all[Math.floor(pick * all.length)];
      });
      const process = found?.[victim];
      if (process) signal(process.pid, "SIGKILL");
      return { ...none, missed: !process, struck: found ? [found.attempt] : [] };
    }
    case "gateway-holder":
    case "gateway-worker": {
      const part = victim === "gateway-holder" ? "holder" : "worker";
      const process = await whenThere(engine, () => gatewayOf(home, folder)[part]);
      if (process) signal(process.pid, "SIGKILL");
      return { ...none, missed: !process };
    }
    default:
      return victim satisfies never;
  }
}

/** Agents of the run that live, or have ended and nobody has taken that in. */
export const livingAgents = (home: string, runId: string): KeptAgent[] =>
  keptAgents(home, runId).filter((k) => k.agent && (k.isOver || isThere(k.agent)));

async function whenThere<T>(engine: EngineProcess, look: () => T | undefined): Promise<T | undefined> {
  for (;;) {
    const found = look();
    // An engine that is stopped starts nothing more: what is not there now will not come.
    if (found !== undefined || engine.child.exitCode !== null || engine.isHalted) return found;
    await sleep(LOOK_MS);
  }
}
