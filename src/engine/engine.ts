import { setTimeout as sleep } from "node:timers/promises";
import { fold, runStream, type EventData, type RunEvent } from "../domain/index.ts";
import { noLog, type Log } from "../logs/index.ts";
import type { HeldLease, LeaseRef } from "../store/index.ts";
import { expectManyCommands } from "../workspace/index.ts";
import type { DriveEnd, DriveOptions, Engine, EngineDeps, StartRequest } from "./contract.ts";
import { Dispatcher } from "./dispatcher.ts";
import { Driver } from "./driver.ts";
import { EngineError } from "./errors.ts";
import { loadRun, requireRun } from "./load.ts";
import { recordResumed } from "./record-resumed.ts";
import { rowOf } from "./run-row.ts";

/** Composes the rooms into an engine. One per process; it may drive several runs, which share its slots. */
export function createEngine(deps: EngineDeps): Engine & Disposable {
  const dispatcher = new Dispatcher(deps);
  expectManyCommands();
  return {
    start: (request) => start(deps, request),
    drive: (runId, options) => drive(deps, dispatcher, runId, options),
    prepare: (steps) => dispatcher.prepare(steps),
    load: (runId) => loadRun(deps.store, runId),
    [Symbol.dispose]: () => dispatcher[Symbol.dispose](),
  };
}

async function start(deps: EngineDeps, request: StartRequest): Promise<void> {
  const { runId, pipeline, workspaces, base } = request;
  const branch = `stepfall/${runId}`;
  await workspaces.createRunBranch({ runId, name: branch }, base);
  const event: RunEvent = {
    type: "RunStarted",
    data: {
      runId,
      pipeline,
      project: request.project,
      base,
      branch,
      ...(request.source ? { source: request.source } : {}),
      agents: deps.registry
        .list()
        .map((a) => ({ id: a.id, tier: a.tier, executor: a.executorKind, ...(a.model ? { model: a.model } : {}) })),
      includeDirty: request.includeDirty,
      ...budgetsOf(deps),
      ...(request.workload ? { workload: request.workload } : {}),
      ...(request.inputs && Object.keys(request.inputs).length > 0 ? { inputs: { ...request.inputs } } : {}),
    },
  };
  const begun = fold([{ event, at: deps.clock.now(), version: 1 }]);
  const answers = (await deps.veto?.({ before: "run", event, state: begun }, request.signal ?? new AbortController().signal)) ?? [];
  const at = deps.clock.now();
  const said = answers.map((data) => ({ event: { type: "HookAnswered" as const, data }, at, actor: "engine" }));
  const events = [{ event, at, actor: request.actor }, ...said];
  const state = fold(events.map((e, i) => ({ ...e, version: i + 1 })));
  await deps.store.commit({ appends: [{ stream: runStream(runId), expected: 0, events }], projections: [rowOf(state)] });
}

/** What the settings say about money, as a run keeps it. */
function budgetsOf({ budgets }: EngineDeps): Pick<EventData<"RunStarted">, "budgets" | "tiers"> | undefined {
  if (!budgets) return undefined;
  const { step, attempt, tiers } = budgets;
  return {
    budgets: { ...(step === undefined ? {} : { step }), ...(attempt === undefined ? {} : { attempt }) },
    ...(tiers ? { tiers: [...tiers] } : {}),
  };
}

/**
 * Whoever holds a lease that has run out, and is not known to be dead, may be well: its clock has jumped, or its machine was asleep. One that
 * is well moves its lease's end three times within a lease's time; one that is stopped does not.
 */
async function waitForSign(deps: EngineDeps, key: string, leaseMs: number): Promise<void> {
  const find = async (): Promise<HeldLease | undefined> => (await deps.store.leases(key)).find((l) => l.key === key);
  const held = await find();
  if (!held || held.until > deps.clock.now() || held.holder === deps.node) return;
  if (deps.isDead(held.holder) || deps.isHalted?.(held.holder)) return;
  for (const end = performance.now() + leaseMs * 0.4; performance.now() < end;) {
    await sleep(Math.min(250, leaseMs / 20));
    const now = await find();
    if (now?.epoch !== held.epoch || now.until !== held.until) return;
  }
}

/** Takes the run's lease, also from a holder that is dead. */
async function takeRun(deps: EngineDeps, runId: string, leaseMs: number, log: Log): Promise<LeaseRef> {
  const key = `run:${runId}`;
  await waitForSign(deps, key, leaseMs);
  const now = deps.clock.now();
  const first = await deps.store.acquire({ key, holder: deps.node, until: now + leaseMs, now });
  if (first.ok) return first.lease;
  if (deps.isDead(first.heldBy.holder)) {
    const second = await deps.store.acquire({ key, holder: deps.node, until: now + leaseMs, now, breakEpoch: first.heldBy.epoch });
    if (second.ok) {
      log.warn("driver-replaced", `its driver ${first.heldBy.holder} is gone: this process goes on with the run`);
      return second.lease;
    }
  }
  throw new EngineError(
    "RUN_DRIVEN",
    `run ${runId} is driven by ${first.heldBy.holder}`,
    "Watch it with `stepfall logs -f`, or end it with `stepfall cancel`.",
  );
}

async function drive(deps: EngineDeps, dispatcher: Dispatcher, runId: string, options: DriveOptions): Promise<DriveEnd> {
  const leaseMs = deps.leaseMs ?? 30_000;
  await requireRun(deps.store, runId);
  const log = (deps.log ?? noLog).child({ room: "engine", run: runId });
  const lease = await takeRun(deps, runId, leaseMs, log);
  const driver = new Driver(deps, dispatcher, runId, lease, options);
  log.info("drive-began", "this process drives the run", { data: { epoch: lease.epoch } });
  try {
    if (options.resumed) await recordResumed(deps, lease, runId, options.resumed);
    const end = await driver.run();
    if (end.kind === "taken-over") log.warn("run-lease-lost", "another process drives the run now; this one has left it");
    else
      log.info("drive-ended", `this process drives the run no more: ${end.kind}`, {
        data: end.kind === "finished" ? { outcome: end.outcome } : {},
      });
    return end;
  } catch (error) {
    log.error("drive-failed", "the run cannot go on in this process; it can be resumed", { error });
    throw error;
  } finally {
    await deps.store.release(lease).catch(() => undefined);
  }
}
