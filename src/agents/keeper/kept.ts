import { existsSync } from "node:fs";
import { isAlive } from "../host/process.ts";
import type { KeptProcess, KeptState } from "./contract.ts";
import { processFolders, readAgent, readBeat, readExit, readKeeper, readLog } from "./folder.ts";

/** What there is of an attempt's processes, from disk and the process table. */
export function keptIn(attemptAt: string, now: number, mask: (text: string) => string): KeptProcess[] {
  return processFolders(attemptAt).map(({ index, folder }) => {
    const agent = readAgent(folder)?.agent;
    const keeper = readKeeper(folder)?.keeper;
    const lastBeat = readBeat(folder);
    return {
      index,
      ...(agent ? { agent } : {}),
      ...(keeper ? { keeper } : {}),
      state: stateOf(folder, now, mask),
      ...(lastBeat ? { lastBeat } : {}),
    };
  });
}

function stateOf(folder: string, now: number, mask: (text: string) => string): KeptState {
  const keeper = readKeeper(folder)?.keeper;
  // In this order: a keeper writes the exit before it ends.
  const isRunning = keeper !== undefined && isAlive(keeper);
  const outcome = readExit(folder)?.outcome;
  if (outcome?.kind === "exit") return { kind: "ended", exit: outcome.exit };
  if (outcome?.kind === "trouble") return { kind: "lost", evidence: outcome.trouble.message };
  return isRunning ? { kind: "running" } : { kind: "lost", evidence: mask(evidenceOf(folder, now)) };
}

/** What is known of a keeper that is gone without a word. */
export function evidenceOf(folder: string, now: number): string {
  if (!existsSync(folder)) return "the folder of its keeper was removed while it was at work";
  const keeper = readKeeper(folder)?.keeper;
  if (!keeper) return "its keeper never put itself on record";
  const beat = readBeat(folder);
  const log = readLog(folder);
  return [
    `its keeper (pid ${keeper.pid}, begun at ${keeper.startTime}) is gone without a word of how the agent ended`,
    beat ? `last heartbeat ${Math.max(0, now - beat.at)} ms ago at line ${beat.seq}` : "it never had a heartbeat",
    ...(log === "" ? [] : [`its last words: ${log}`]),
  ].join("; ");
}
