import { hostname } from "node:os";
import { currentAttempt, fold, isOver, parseAttemptId, runStream, type RunState } from "../../domain/index.ts";
import { parseHolder } from "../../fleet/index.ts";
import { isDead } from "../../setup/identity.ts";
import type { HeldLease, RunRow, Store } from "../../store/index.ts";
import { duration } from "../show/format.ts";

export type RunIs =
  /** A process holds it, or an attempt of it. */
  | { kind: "driven" }
  /** Not over, and nobody drives it: `resume` takes it up. */
  | { kind: "stopped"; row: RunRow }
  | { kind: "over"; row: RunRow; endedAt: number; words: string }
  | { kind: "unknown" };

export type AttemptIs =
  /** Its step is not over: it is, or may be, gone on with. */
  { kind: "needed"; isDriven: boolean } | { kind: "done"; words: string; /** The store has its run. */ isKnown: boolean };

/**
 * What the store knows of runs and attempts: asked anew each time, since runs begin and end while `gc` looks. Whatever a living process
 * holds counts as living, also when its lease has run out: a machine that slept wakes up again.
 */
export class Living {
  readonly store: Store;
  readonly #now: () => number;

  constructor(store: Store, now: () => number) {
    this.store = store;
    this.#now = now;
  }

  async run(runId: string): Promise<RunIs> {
    if (await this.#isHeld(runId)) return { kind: "driven" };
    const row = (await this.store.runs({ runId }))[0];
    if (!row) return { kind: "unknown" };
    const isOverNow = row.status === "succeeded" || row.status === "failed" || row.status === "cancelled";
    // Taken up between the two looks.
    if (!isOverNow) return (await this.#isHeld(runId)) ? { kind: "driven" } : { kind: "stopped", row };
    const endedAt = row.endedAt ?? row.startedAt;
    const verb = row.status === "cancelled" ? "was cancelled" : row.status;
    return { kind: "over", row, endedAt, words: `its run ${verb} ${this.ago(endedAt)}` };
  }

  async attempt(attempt: string): Promise<AttemptIs> {
    const ref = parseAttemptId(attempt);
    if (!ref) return { kind: "done", words: "it belongs to no run", isKnown: false };
    const run = await this.run(ref.runId);
    if (run.kind === "unknown") return { kind: "done", words: unknownRun, isKnown: false };
    if (run.kind === "over") return { kind: "done", words: run.words, isKnown: true };
    const state = await this.state(ref.runId);
    return stepIsOver(state, ref.stepPath) && !(await this.#isLeased(attempt))
      ? { kind: "done", words: `its step is over (${state.steps.get(ref.stepPath)?.status})`, isKnown: true }
      : { kind: "needed", isDriven: run.kind === "driven" };
  }

  async state(runId: string): Promise<RunState> {
    return fold(await this.store.read(runStream(runId)));
  }

  ago(at: number): string {
    const ms = Math.max(0, this.#now() - at);
    return ms < 86_400_000 ? `${duration(ms)} ago` : `${Math.floor(ms / 86_400_000)} d ago`;
  }

  async #isHeld(runId: string): Promise<boolean> {
    const [runs, attempts] = await Promise.all([this.store.leases(`run:${runId}`), this.store.leases(`${runId}/`)]);
    return [...runs.filter((l) => l.key === `run:${runId}`), ...attempts].some((l) => this.#lives(l));
  }

  async #isLeased(attempt: string): Promise<boolean> {
    return (await this.store.leases(attempt)).some((l) => l.key === attempt && this.#lives(l));
  }

  /** Of another machine nothing is known but the lease. */
  #lives({ holder, until }: HeldLease): boolean {
    const isHere = parseHolder(holder)?.host === hostname();
    return isHere ? !isDead(holder) : until > this.#now();
  }
}

export const unknownRun = "the store knows no such run";

/** Its folder may be gone on in by a later attempt, and its accepted work checked there, until the step is over. */
export function stepIsOver(state: RunState, path: string): boolean {
  const step = state.steps.get(path);
  if (!step || !isOver(step)) return false;
  const phase = currentAttempt(step)?.phase;
  return phase !== "queued" && phase !== "running" && phase !== "accepted" && phase !== "merging";
}
