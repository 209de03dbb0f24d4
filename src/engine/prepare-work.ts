import {
  currentAttempt,
  parseAttemptId,
  type AttemptState,
  type RunEvent,
  type RunState,
  type Step,
  type StepState,
} from "../domain/index.ts";
import type { Workspace, Workspaces } from "../workspace/index.ts";
import type { AttemptSignals, AttemptWork } from "./attempt.ts";
import type { EngineDeps } from "./contract.ts";
import type { Assigned } from "./dispatcher.ts";
import { tearDownLeft } from "./ground.ts";

/** What the journal says an assigned attempt is to do; `undefined` when it does not want it any more. */
export type PreparedWork = Omit<
  AttemptWork,
  keyof AttemptSignals | "workspaces" | "permit" | "messages" | "requests" | "ask" | "finished" | "releaseMoney"
>;

/** It was under way, and nobody can go on with it; or it is not to begin. What is recorded instead. */
export interface Abandoned {
  abandoned: readonly RunEvent[];
}

export async function prepareWork(
  deps: EngineDeps,
  workspaces: Workspaces,
  state: RunState,
  { id, agent, lease }: Assigned,
): Promise<PreparedWork | Abandoned | undefined> {
  const s = state.steps.get(parseAttemptId(id)?.stepPath ?? "");
  const a = s && currentAttempt(s);
  if (!s || a?.id !== id || (s.step.kind !== "agent" && s.step.kind !== "command")) return undefined;
  if (a.phase !== "queued" && a.phase !== "running") return undefined;
  const registered = deps.registry.get(agent);
  const { executor: execution, tier } = registered;
  const common = {
    attempt: id,
    step: s.step,
    agent,
    tier,
    execution,
    feedback: s.feedback,
    state,
    epoch: lease.epoch,
    startEpoch: lease.epoch,
  };
  if (a.phase === "running") {
    // Its engine died, or its lease ran out while this machine slept. Its agent may be working all the same.
    const workspace = a.agent === agent ? await livingWorkspace(deps, workspaces, state, a) : undefined;
    if (workspace && a.from !== undefined) {
      // Its agent has ended: what still runs of it is a gate of the engine that died.
      if (deps.keepers?.kept(id).every(({ state: kept }) => kept.kind === "ended")) await endGates(deps, state.runId, id, s.step);
      return {
        ...common,
        startEpoch: a.startEpoch ?? lease.epoch,
        from: a.from,
        takenUp: workspace,
        ...(a.resumes ? { session: { ...sessionOf(a.resumes), workspace } } : {}),
      };
    }
    return { abandoned: [await abandon(deps, state.runId, a, s.step)] };
  }
  if (deps.keepers && deps.keepers.kept(id).length > 0) {
    // It began once, and a damaged journal has lost that: the same id is given a second time.
    await endAll(deps, id);
    await deps.keepers.forget(id);
  }
  const needsFiles = execution.executor.needsWorkspace;
  const from = needsFiles ? await workspaces.tip({ runId: state.runId, name: state.branch }) : state.base;
  const session = await keptSession(workspaces, state.runId, s, { attempt: id, agent, from });
  return { ...common, from, ...(session ? { session } : {}) };
}

/** Ends it: an id stands for one try, so the step's next one is another attempt. */
async function abandon(deps: EngineDeps, runId: string, { id, agent, resumes }: AttemptState, step: Step): Promise<RunEvent> {
  const ended = await endAll(deps, id);
  await endKeys(deps, { id, agent });
  const preparation = { deps, runId, attempt: id, step, signal: new AbortController().signal };
  await tearDownLeft(preparation, resumes?.folder ?? id).catch(() => undefined);
  const evidence = ended.length > 0 ? `processes ended: ${ended.join(", ")}` : "no process of it was left";
  return { type: "AttemptInterrupted", data: { attempt: id, step: step.path, because: "its lease ran out", evidence } };
}

/** Nobody calls models for it any more: what is set aside for it is there for the step's next attempt. */
export async function endKeys(deps: EngineDeps, { id, agent }: Pick<AttemptState, "id" | "agent">): Promise<void> {
  if (agent === undefined || !deps.registry.has(agent) || !deps.registry.get(agent).executor.upstreams) return;
  // One that cannot be had holds nothing.
  await deps.gateway().then(
    (gateway) => gateway.endAttempt(id).catch(() => undefined),
    () => undefined,
  );
}

/** Their checkout is made again under the same name: what setup did for it outside is undone first. */
async function endGates(deps: EngineDeps, runId: string, attempt: string, step: Step): Promise<void> {
  await deps.host.endLeftovers(attempt);
  const preparation = { deps, runId, attempt, step, signal: new AbortController().signal };
  await tearDownLeft(preparation, undefined).catch(() => undefined);
}

const sessionOf = ({ session, folder }: NonNullable<AttemptState["resumes"]>): { id: string; folder: string } => ({ id: session, folder });

/** The workspace of an attempt whose agent was left running, or has ended with nobody there. */
export async function livingWorkspace(
  deps: EngineDeps,
  workspaces: Workspaces,
  state: RunState,
  a: AttemptState,
): Promise<Workspace | undefined> {
  if (a.from === undefined || !canBeTakenUp(deps, a.id)) return undefined;
  return workspaces.reopen({ runId: state.runId, attempt: a.id, from: a.from, folder: a.resumes?.folder ?? a.id });
}

/** Whether an agent process of the attempt is there to go on with, running or ended in good order. */
function canBeTakenUp(deps: EngineDeps, attempt: string): boolean {
  const kept = deps.keepers?.kept(attempt) ?? [];
  return kept.length > 0 && kept.every(({ state }) => state.kind !== "lost");
}

/** Ends what is left of an attempt, its agent's keeper too. */
export async function endAll(deps: EngineDeps, attempt: string): Promise<number[]> {
  const ended = [...((await deps.keepers?.endLeftovers(attempt)) ?? []), ...(await deps.host.endLeftovers(attempt))];
  return [...new Set(ended.map((p) => p.pid))];
}

/**
 * The conversation of the step's last attempt, when the same agent has it again and the run's branch has not moved: its files are what it
 * remembers. Otherwise what is left of it goes.
 */
async function keptSession(
  workspaces: Workspaces,
  runId: string,
  s: StepState,
  { attempt, agent, from }: { attempt: string; agent: string; from: string },
): Promise<AttemptWork["session"]> {
  if (!s.session) return undefined;
  const { session: id, folder } = s.session;
  const workspace = await workspaces.reopen({ runId, attempt, from, folder });
  if (!workspace) return undefined;
  if (s.session.agent === agent && s.session.from === from) return { id, folder, workspace };
  await workspaces.remove(workspace).catch(() => undefined);
  return undefined;
}
