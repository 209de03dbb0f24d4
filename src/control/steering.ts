import { runBudgetId, usd } from "../domain/index.ts";
import { answerItem, sendMessage } from "../engine/index.ts";
import { RequestError } from "../setup/failure.ts";
import { driverOf, findRun, loadRun } from "../setup/find-run.ts";
import { describeHolder } from "../setup/identity.ts";
import type { RunRow } from "../store/index.ts";
import { requestCancel, whenOver } from "./cancel.ts";
import type { Actor, Control } from "./contract.ts";
import { giveFeedback } from "./feedback.ts";
import { findItem } from "./find-item.ts";
import { findStep } from "./find-step.ts";
import type { Desk } from "./looking.ts";
import { reassignStep } from "./reassignment.ts";
import { nameOf, request, type Asking } from "./request.ts";
import { endCancelled, resumeRun, startRun, startTasks } from "./start.ts";
import { summarizeRuns } from "./summary.ts";
import { openTakeUp } from "./take-up.ts";
import { waitForRun } from "./wait.ts";

type Steering = Pick<
  Control,
  "start" | "doTasks" | "wait" | "answer" | "cancel" | "abandoned" | "resume" | "feedback" | "message" | "reassign"
>;

/** How long a living driver is waited for: it ends its agents' processes first. */
const CANCEL_MS = 30_000;

export function steer(desk: Desk, { inbox }: Pick<Control, "inbox">): Steering {
  const { cli, store, home, launcher, now, masks } = desk;
  const starting = { store, clock: cli.clock, home, launcher };
  const asking = (actor: Actor): Asking => ({ store, clock: cli.clock, actor });
  const rowOf = (given: string): Promise<RunRow> => findRun(cli, store, given);
  const isDriven = async (runId: string): Promise<boolean> => (await driverOf(store, runId, now())) !== undefined;
  const takeUp = openTakeUp(store, now);
  /** Texts of people may hold a secret: the journal must not. */
  const hide = async (project: string, text: string | undefined): Promise<string | undefined> =>
    text === undefined ? undefined : (await masks.of(project))(text);

  /** Processes that were just started for a run: nobody needs a second. */
  const resuming = new Map<string, Promise<void>>();
  const drive = (actor: Actor, run: RunRow): Promise<void> => {
    const begun = resuming.get(run.runId) ?? resumeRun(starting, actor, run).finally(() => resuming.delete(run.runId));
    resuming.set(run.runId, begun);
    return begun;
  };

  return {
    start: (actor, wanted) => startRun(starting, actor, wanted),
    doTasks: (actor, wanted) => startTasks(starting, actor, wanted),

    async wait(given, options) {
      const { runId } = await rowOf(given);
      return waitForRun({ store, now }, runId, async () => (await inbox()).filter((item) => item.runId === runId), options);
    },

    async answer(actor, given, { verdict, text }) {
      const found = await findItem(store, given);
      const project = found.runId === "" ? "" : (await rowOf(found.runId)).project;
      const said = { item: found.item, by: nameOf(actor), verdict, text: await hide(project, text) };
      const { runId, state } = await answerItem(store, cli.clock, said, actor);
      const item = state.inbox.get(found.item);
      const left = item && verdict === "approve" ? Math.max(0, item.count - item.answers.length) : 0;
      if (left === 0 && !(await isDriven(runId))) {
        // What becomes of it is told by the run; that the answer is recorded does not depend on it.
        drive(actor, await rowOf(runId)).catch(() => undefined);
      }
      return { runId, item: found.item, stillNeeded: left, driven: left === 0 || (await isDriven(runId)) };
    },

    async cancel(actor, given, reason) {
      const row = await rowOf(given);
      const { runId } = row;
      const state = await requestCancel(asking(actor), runId, await hide(row.project, reason));
      if (state.outcome) return { runId, outcome: state.outcome };
      if (!(await isDriven(runId))) await endCancelled(starting, actor, row);
      const over = await whenOver(store, runId, AbortSignal.timeout(CANCEL_MS));
      return { runId, ...(over?.outcome ? { outcome: over.outcome } : {}) };
    },

    async abandoned() {
      const rows: RunRow[] = [];
      for (const row of await takeUp()) if (!(await loadRun(store, row.runId)).cancel) rows.push(row);
      return (await summarizeRuns({ store, home, now: now() }, rows)).runs;
    },

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
      const row = await rowOf(given);
      const because = await hide(row.project, about.because);
      const { attempt, gates } = await giveFeedback(asking(actor), row.runId, { ...about, because });
      return { attempt: attempt.id, gates };
    },

    async message(actor, given, { step, text }) {
      const { runId, project } = await rowOf(given);
      const path = findStep(await loadRun(store, runId), step).step.path;
      const mask = await masks.of(project);
      return sendMessage({ store, clock: cli.clock, actor, mask }, { runId, step: path, text });
    },

    async reassign(actor, given, change) {
      const row = await rowOf(given);
      await reassignStep(asking(actor), row.runId, { ...change, because: await hide(row.project, change.because) });
    },
  };
}
