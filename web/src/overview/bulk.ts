import { create } from "zustand";
import { actions, asProblem, type Problem, type RunSummary } from "../data/index.ts";

export type BulkAction = "cancel" | "again";

/** What became of one of the runs. */
export type Told =
  | { kind: "cancelled"; run: RunSummary }
  /** It ended before that could be done. */
  | { kind: "over"; run: RunSummary; outcome: string }
  /** It is recorded, and whoever drives the run has not ended it yet. */
  | { kind: "asked"; run: RunSummary }
  | { kind: "started"; run: RunSummary; as: string }
  | { kind: "refused"; run: RunSummary; problem: Problem };

export interface Bulk {
  action: BulkAction;
  total: number;
  told: readonly Told[];
}

/** Kept here and not by the page: leaving it must not lose how it went. */
const useBulkStore = create<{ bulk: Bulk | undefined }>(() => ({ bulk: undefined }));

export const useBulk = (): Bulk | undefined => useBulkStore((s) => s.bulk);
export const forgetBulk = (): void => useBulkStore.setState({ bulk: undefined });

/** Starting a run starts its agents once, which is heavy; a cancel mostly waits. */
const AT_ONCE: Readonly<Record<BulkAction, number>> = { cancel: 4, again: 2 };
const BUSY_WAIT_MS = 1_000;
const BUSY_TRIES = 30;

/** Does it to each, a few at a time, and keeps what became of each. One at a time: a second one while it is under way is not begun. */
export async function doToAll(action: BulkAction, runs: readonly RunSummary[], reason?: string): Promise<void> {
  const before = useBulkStore.getState().bulk;
  if (before && before.told.length < before.total) return;
  useBulkStore.setState({ bulk: { action, total: runs.length, told: [] } });
  const left = [...runs];
  const work = async (): Promise<void> => {
    for (let run = left.shift(); run; run = left.shift()) {
      const told = await doTo(action, run, reason);
      useBulkStore.setState(({ bulk }) => ({ bulk: bulk && { ...bulk, told: [...bulk.told, told] } }));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE[action] }, work));
}

async function doTo(action: BulkAction, run: RunSummary, reason: string | undefined): Promise<Told> {
  try {
    if (action === "again") return { kind: "started", run, as: (await whenRoom(() => actions.again(run.runId))).runId };
    const { outcome } = await whenRoom(() => actions.cancel(run.runId, reason));
    if (outcome === undefined) return { kind: "asked", run };
    return outcome === "cancelled" ? { kind: "cancelled", run } : { kind: "over", run, outcome };
  } catch (error) {
    return { kind: "refused", run, problem: asProblem(error) };
  }
}

/** The server refuses too many at once before it looks at what they say: such a one can be sent again, and nothing is done twice. */
async function whenRoom<T>(send: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await send();
    } catch (error) {
      const { status } = asProblem(error);
      if ((status !== 429 && status !== 503) || tries >= BUSY_TRIES) throw error;
      await new Promise((resolve) => setTimeout(resolve, BUSY_WAIT_MS));
    }
  }
}
