import { currentAttempt, type AgentStep, type RunState, type StepState } from "../../domain/index.ts";
import { SHELL_AGENT } from "../../models/index.ts";
import { RequestError } from "../../setup/failure.ts";
import { findStep } from "../find-step.ts";
import { nameOf, request, type Asking } from "../request.ts";

export interface ReassignWanted {
  /** Its path, or an end of it that only one step has. */
  step: string;
  /** Absent: any but the one that has it. */
  agent?: string | undefined;
  because?: string | undefined;
}

export interface Reassigned {
  step: string;
  by: string;
  agent?: string | undefined;
  not?: string | undefined;
  /** The attempt that ends by it. */
  stops?: string | undefined;
}

/** What is put on record: to whom the step goes, or from whom it is taken. */
interface Change {
  step: StepState;
  agent?: string | undefined;
  not?: string | undefined;
}

/** Gives a step to another agent. Only the journal is written: whoever drives the run acts on it. */
export async function reassignStep(asking: Asking, runId: string, wanted: ReassignWanted): Promise<Reassigned> {
  const by = nameOf(asking.actor);
  let told: Reassigned | undefined;
  await request(asking, runId, (state) => {
    const { step: found, agent, not } = changeFor(state, wanted.step, wanted.agent);
    const step = found.step.path;
    const to = { ...(agent === undefined ? {} : { agent }), ...(not === undefined ? {} : { not }) };
    told = { step, by, ...to, stops: inFlight(found)?.id };
    return { type: "StepReassigned", data: { step, by, ...to, ...(wanted.because === undefined ? {} : { because: wanted.because }) } };
  });
  if (!told) throw new TypeError("a step is given to somebody, or that is refused");
  return told;
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
