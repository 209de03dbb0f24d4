import { runBudgetId, usd } from "../../domain/index.ts";
import { sendMessage } from "../../engine/index.ts";
import { RequestError } from "../../setup/failure.ts";
import { driverOf, findRun, loadRun } from "../../setup/find-run.ts";
import { describeHolder } from "../../setup/identity.ts";
import type { RunRow } from "../../store/index.ts";
import { openProject } from "../../workspace/index.ts";
import { answerAs, isTaken } from "./answer.ts";
import { requireAgain } from "./again.ts";
import { requestCancel, whenOver } from "./cancel.ts";
import type { Actor, Control } from "../contract.ts";
import { giveFeedback } from "./feedback.ts";
import { findStep } from "../find-step.ts";
import type { Desk } from "../looking/look-at.ts";
import { mergeRun, type MergeDone } from "./merge.ts";
import { reassignStep } from "./reassignment.ts";
import { nameOf, request, type Asking } from "../request.ts";
import { endCancelled, resumeRun, startAgain, startRun, startSample, startTasks } from "./start.ts";
import { summarizeRuns } from "../looking/summary.ts";
import { openTakeUp } from "./take-up.ts";
import { waitForRun } from "./wait.ts";

type Steering = Pick<
  Control,
  | "start"
  | "doTasks"
  | "sample"
  | "wait"
  | "answer"
  | "cancel"
  | "abandoned"
  | "resume"
  | "feedback"
  | "message"
  | "reassign"
  | "merge"
  | "again"
>;

/** How long a living driver is waited for: it ends its agents' processes first. */
const CANCEL_MS = 30_000;
/** How long it is looked whether a driver takes an answer, or ends without having seen it. */
const SEEN_MS = 10_000;

export function steer(desk: Desk, { inbox }: Pick<Control, "inbox">): Steering {
  const { cli, store, home, launcher, now, masks, log, closing } = desk;
  const starting = { store, clock: cli.clock, home, launcher };
  const maskOf: Asking["maskOf"] = ({ project, pipeline }) => masks.of(project, pipeline.secrets);
  const asking = (actor: Actor): Asking => ({ store, clock: cli.clock, actor, maskOf });
  const rowOf = (given: string): Promise<RunRow> => findRun(cli, store, given);
  const isDriven = async (runId: string): Promise<boolean> => (await driverOf(store, runId, now())) !== undefined;
  const takeUp = openTakeUp(store, now);
  /** Processes that were just started for a run: nobody needs a second. */
  const resuming = new Map<string, Promise<void>>();
  const drive = (actor: Actor, run: RunRow): Promise<void> => {
    const begun = resuming.get(run.runId) ?? resumeRun(starting, actor, run).finally(() => resuming.delete(run.runId));
    resuming.set(run.runId, begun);
    return begun;
  };

  /**
   * Has somebody go on with what was answered: a driver that was there may have been about to end. That the answer is recorded does not depend on it,
   * and what becomes of it is told by the run.
   */
  const goOn = async (actor: Actor, runId: string, after: number): Promise<void> => {
    try {
      if (await isTaken({ store, clock: cli.clock }, { runId, after, ms: SEEN_MS, signal: closing })) return;
      const row = await rowOf(runId);
      if (row.endedAt === undefined) await drive(actor, row);
    } catch (error) {
      if (!closing.aborted)
        log.warn("answer-not-taken", "an answer is recorded, and no process could be had to go on with it", { run: runId, error });
    }
  };

  /** The last that was asked for, by project. */
  const merges = new Map<string, Promise<MergeDone>>();

  return {
    start: (actor, wanted) => startRun(starting, actor, wanted),
    doTasks: (actor, wanted) => startTasks(starting, actor, wanted),

    sample: (actor) => startSample(starting, actor),

    async wait(given, options) {
      const { runId } = await rowOf(given);
      const items = async () => (await inbox()).filter((item) => item.runId === runId);
      return waitForRun({ store, now, isBeginning: () => resuming.has(runId) }, runId, items, options);
    },

    async answer(actor, given, said) {
      const { runId, item, stillNeeded, version } = await answerAs(asking(actor), given, said);
      if (stillNeeded === 0) void goOn(actor, runId, version);
      return { runId, item, stillNeeded, driven: stillNeeded === 0 || (await isDriven(runId)) };
    },

    async cancel(actor, given, reason) {
      const row = await rowOf(given);
      const { runId } = row;
      const state = await requestCancel(asking(actor), runId, reason);
      if (state.outcome) return { runId, outcome: state.outcome };
      if (!(await isDriven(runId))) await endCancelled(starting, actor, row);
      const over = await whenOver(store, runId, AbortSignal.timeout(CANCEL_MS));
      return { runId, ...(over?.outcome ? { outcome: over.outcome } : {}) };
    },

    abandoned: () =>
      takeUp(async (rows) => {
        const open: RunRow[] = [];
        for (const row of rows) {
          // One journal that cannot be read keeps no other run from going on.
          const state = await loadRun(store, row.runId).catch(() => undefined);
          if (state && !state.cancel) open.push(row);
        }
        return (await summarizeRuns({ store, home, now: now() }, open)).runs;
      }),

    async resume(actor, given, { budget } = {}) {
      const row = await rowOf(given);
      const { runId } = row;
      const state = await loadRun(store, runId);
      if (state.status === "finished")
        throw new RequestError("RUN_OVER", `run ${runId} is over: it ${state.outcome}`, "Start it again instead.");
      const driver = await driverOf(store, runId, now());
      if (budget !== undefined) {
        const data = { scope: "run", id: runBudgetId(runId), limit: usd(budget), by: nameOf(actor) } as const;
        await request(asking(actor), runId, () => ({ type: "BudgetRaised", data }));
      } else if (driver)
        throw new RequestError("RUN_DRIVEN", `run ${runId} is being driven by ${describeHolder(driver.holder)}`, "Watch it, or cancel it.");
      if (!driver) await drive(actor, row);
      return { runId };
    },

    async feedback(actor, given, about) {
      const { attempt, gates } = await giveFeedback(asking(actor), (await rowOf(given)).runId, about);
      return { attempt: attempt.id, gates };
    },

    async message(actor, given, { step, text }) {
      const { runId } = await rowOf(given);
      const state = await loadRun(store, runId);
      const mask = await maskOf(state);
      return sendMessage({ store, clock: cli.clock, actor, mask }, { runId, step: findStep(state, step).step.path, text });
    },

    async reassign(actor, given, change) {
      await reassignStep(asking(actor), (await rowOf(given)).runId, change);
    },

    async merge(actor, given, { partial = false } = {}) {
      const row = await rowOf(given);
      // One after the other: two of git's at once in one checkout are in each other's way.
      const merging = (merges.get(row.project) ?? Promise.resolve())
        .catch(() => undefined)
        .then(async () => {
          const project = await openProject(row.project, { env: cli.env });
          return mergeRun(asking(actor), row.runId, { home, project, partial });
        });
      merges.set(row.project, merging);
      try {
        const { runId, into, commit, already } = await merging;
        return { runId, into, commit, already };
      } finally {
        if (merges.get(row.project) === merging) merges.delete(row.project);
      }
    },

    async again(actor, given) {
      const row = await rowOf(given);
      requireAgain(await loadRun(store, row.runId));
      return startAgain(starting, actor, row);
    },
  };
}
