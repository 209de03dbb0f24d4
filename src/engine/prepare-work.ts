import { currentAttempt, parseAttemptId, type AttemptState, type RunState, type StepState } from "../domain/index.ts";
import type { Workspace, Workspaces } from "../workspace/index.ts";
import type { AttemptSignals, AttemptWork } from "./attempt.ts";
import type { EngineDeps } from "./contract.ts";
import type { Assigned } from "./dispatcher.ts";

/** What the journal says an assigned attempt is to do; `undefined` when it does not want it any more. */
export type PreparedWork = Omit<AttemptWork, keyof AttemptSignals | "workspaces" | "permit" | "ask" | "finished">;

export async function prepareWork(
  deps: EngineDeps,
  workspaces: Workspaces,
  state: RunState,
  { id, agent, lease }: Assigned,
): Promise<PreparedWork | undefined> {
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
      if (deps.keepers?.kept(id).every(({ state: kept }) => kept.kind === "ended")) await deps.host.endLeftovers(id);
      return {
        ...common,
        startEpoch: a.startEpoch ?? lease.epoch,
        from: a.from,
        takenUp: workspace,
        ...(a.resumes ? { session: { ...sessionOf(a.resumes), workspace } } : {}),
      };
    }
    await endAll(deps, id);
    // It is started anew, under the same id.
    await deps.keepers?.forget(id);
  }
  const needsFiles = execution.executor.needsWorkspace;
  const from = needsFiles ? await workspaces.tip({ runId: state.runId, name: state.branch }) : state.base;
  const session = await keptSession(workspaces, state.runId, s, { attempt: id, agent, from });
  return { ...common, from, ...(session ? { session } : {}) };
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
export function canBeTakenUp(deps: EngineDeps, attempt: string): boolean {
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
