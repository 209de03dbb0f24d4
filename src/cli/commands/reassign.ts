import { currentAttempt, type AgentStep, type RunState, type StepState } from "../../domain/index.ts";
import { SHELL_AGENT } from "../../models/index.ts";
import { RequestError } from "../../setup/failure.ts";
import { driverOf, findRun } from "../../setup/find-run.ts";
import { withStore } from "../../setup/store.ts";
import { Exit, type Cli } from "../cli.ts";
import { findStep } from "../setup/find-step.ts";
import { actorOf, request } from "../setup/merge-run.ts";
import { commandLine } from "../show/summary.ts";

export interface ReassignFlags {
  agent?: string | undefined;
  run?: string | undefined;
  reason?: string | undefined;
}

/** What is put on record: to whom the step goes, or from whom it is taken. */
interface Change {
  step: StepState;
  agent?: string | undefined;
  not?: string | undefined;
}

/**
 * `stepfall reassign STEP`: ends the attempt that runs, which does not count as a try, and gives the step to `--agent`, or to any agent but the
 * one that has it. Only the journal is written: whoever drives the run acts on it.
 */
export async function reassign(cli: Cli, given: string, flags: ReassignFlags): Promise<number> {
  return withStore(cli, async (store) => {
    const { runId } = await findRun(cli, store, flags.run);
    const by = actorOf(cli).replace(/^cli:/, "");
    let change: Change | undefined;
    await request(cli, store, runId, (state) => {
      const { step, agent, not } = (change = changeFor(state, given, flags.agent));
      return {
        type: "StepReassigned",
        data: {
          step: step.step.path,
          by,
          ...(agent === undefined ? {} : { agent }),
          ...(not === undefined ? {} : { not }),
          ...(flags.reason === undefined ? {} : { because: flags.reason }),
        },
      };
    });
    if (!change) return Exit.failed;
    const driver = await driverOf(store, runId, cli.clock.now());
    const path = change.step.step.path;
    const stopped = inFlight(change.step)?.id;
    if (cli.json) {
      const { agent, not } = change;
      cli.out.json({ version: 1, runId, step: path, by, agent, not, stops: stopped, driven: driver !== undefined });
      return Exit.ok;
    }
    const to = change.agent === undefined ? `any agent but ${change.not}` : `agent ${change.agent}`;
    cli.out.data(`${path}: given to ${to} by ${by}${stopped === undefined ? "" : `; ${stopped} is ended and does not count`}`);
    cli.out.note(driver ? "The run goes on." : `Nobody drives the run now. Go on with: ${commandLine(cli, "resume", runId)}`);
    return Exit.ok;
  });
}

function changeFor(state: RunState, given: string, agent: string | undefined): Change {
  if (state.status === "finished") throw new RequestError("USAGE", `run ${state.runId} is over`, "`run` the pipeline again.");
  if (state.cancel) throw new RequestError("USAGE", `run ${state.runId} is being cancelled`, "`run` the pipeline again.");
  const found = findStep(state, given);
  const { step } = found;
  const refuse = (problem: string, hint: string): never => {
    throw new RequestError("STEP_NOT_ROUTABLE", `step ${step.path} ${problem}`, hint);
  };
  if (step.kind !== "agent")
    return refuse(`is done by no agent: it is of kind ${step.kind}`, "Only steps with a prompt can be given to another.");
  if (["completed", "failed", "skipped", "cancelled"].includes(found.status))
    return refuse(`is ${found.status}`, "`run` the pipeline again.");
  const phase = currentAttempt(found)?.phase;
  if (found.status === "active" && (phase === "accepted" || phase === "merging" || phase === "merged"))
    return refuse("is done: its work is accepted", "`stepfall show` tells by whom.");
  const has = inFlight(found)?.agent ?? found.assigned?.agent;
  const known = state.agents.map((a) => a.id).filter((id) => id !== SHELL_AGENT);
  // Between two attempts it is the agent of the last one that shall not have the next.
  const had = has ?? found.attempts.findLast((a) => a.agent !== undefined)?.agent;
  if (agent === undefined) return { step: found, not: another(state, found, step, had, known, refuse) };
  if (!known.includes(agent))
    throw new RequestError("USAGE", `agent ${agent} is none of run ${state.runId}`, `It has: ${known.join(", ") || "none"}.`);
  if (agent === has) return refuse(`has agent ${agent} already`, "Name another, or none: then any other agent may do it.");
  return { step: found, agent };
}

/** The agent it is taken from, when there is another that may have it: without one the step would fail for want of agents. */
function another(
  state: RunState,
  found: StepState,
  step: AgentStep,
  has: string | undefined,
  known: readonly string[],
  refuse: (problem: string, hint: string) => never,
): string {
  const name = `Name one with --agent: ${known.filter((id) => id !== has).join(", ") || "there is no other"}.`;
  if (has === undefined) return refuse("has no agent yet", name);
  if (found.assigned?.not.includes(has)) return refuse(`is taken from ${has} already, and nobody has begun it since`, name);
  const taken = new Set([...(found.assigned?.not ?? []), has]);
  const candidates = currentAttempt(found)?.candidates ?? [];
  // Who has a capability is not in the journal: of the others only those that were routed to are known to have it.
  const others =
    step.agent.capability.length > 0
      ? candidates
      : state.agents.flatMap((a) => (known.includes(a.id) && (step.agent.tier ?? a.tier) === a.tier ? a.id : []));
  return others.some((id) => !taken.has(id)) ? has : refuse(`has no agent to go to but ${has}`, name);
}

function inFlight(found: StepState): { id: string; agent?: string | undefined } | undefined {
  const attempt = currentAttempt(found);
  const isInFlight = found.status === "active" && attempt && (attempt.phase === "queued" || attempt.phase === "running");
  return isInFlight ? attempt : undefined;
}
