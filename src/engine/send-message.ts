import { takesMessages } from "../agents/index.ts";
import { currentAttempt, fold, runStream, type AttemptState, type Clock, type RunEvent, type RunState } from "../domain/index.ts";
import { StoreError, type Store } from "../store/index.ts";
import { EngineError } from "./errors.ts";

/** Longer ones belong into a file. */
const MOST_CHARACTERS = 8000;

export interface Message {
  runId: string;
  /** A step's path. */
  step: string;
  text: string;
}

export interface SentMessage {
  attempt: string;
  agent: string;
  /** Of the attempt's messages, from 1 on. */
  n: number;
}

/**
 * Records what a person says to the agent that works on a step, from any process; the engine that drives the run hands it on. Rejects with
 * MESSAGE_REFUSED, and nothing is recorded, when no agent works there or its executor takes no messages. Whether it has reached the agent, a
 * `MessageDelivered` tells; one without that when its attempt is over came too late.
 */
export async function sendMessage(
  { store, clock, actor, mask }: { store: Store; clock: Clock; actor: string; mask: (text: string) => string },
  { runId, step, text }: Message,
): Promise<SentMessage> {
  const said = mask(text).trim();
  for (;;) {
    const state = fold(await store.read(runStream(runId)));
    if (state.status === "empty") throw new EngineError("RUN_UNKNOWN", `there is no run ${runId}`, "`stepfall ps --all` lists the runs.");
    const { attempt, agent } = listenerOf(state, step);
    if (said === "") throw refused("an empty message says nothing", "Say something.");
    if (said.length > MOST_CHARACTERS)
      throw refused(
        `the message has ${said.length} characters, and ${MOST_CHARACTERS} are the most`,
        "Put it into a file of the project, or say it shorter.",
      );
    const n = (attempt.messages?.length ?? 0) + 1;
    // Of a program the whole stays, so that nobody takes it for a person.
    const by = actor.replace(/^(cli|web):/, "");
    const event: RunEvent = { type: "MessageSent", data: { attempt: attempt.id, step, n, text: said, by } };
    try {
      await store.commit({
        appends: [{ stream: runStream(runId), expected: state.version, events: [{ event, at: clock.now(), actor }] }],
      });
      return { attempt: attempt.id, agent, n };
    } catch (error) {
      // The run went on meanwhile: look again whether the agent still works.
      if (!(error instanceof StoreError && (error.code === "STORE_CONFLICT" || error.code === "STORE_BUSY"))) throw error;
    }
  }
}

/** Why nothing can be said to the agent of a step now; `undefined`: it can. */
export function whyNoMessage(state: RunState, step: string): string | undefined {
  try {
    listenerOf(state, step);
    return undefined;
  } catch (error) {
    if (error instanceof EngineError) return error.message;
    throw error;
  }
}

function listenerOf(state: RunState, step: string): { attempt: AttemptState; agent: string } {
  const look = `\`stepfall show ${state.runId}\` tells how it is.`;
  if (state.status === "finished") throw refused(`run ${state.runId} is over`, look);
  const s = state.steps.get(step);
  if (!s) throw refused(`run ${state.runId} has no step ${step}`, `Its steps: ${[...state.steps.keys()].slice(0, 20).join(", ")}.`);
  if (s.step.kind === "group")
    throw refused(`${step} stands for several steps`, `Name one of: ${s.group?.children.join(", ") ?? "those it has later"}.`);
  if (s.step.kind !== "agent") throw refused(`no agent does ${step}: it is of kind ${s.step.kind}`, look);
  const attempt = currentAttempt(s);
  if (s.status !== "active" || attempt?.phase !== "running" || attempt.agent === undefined)
    throw refused(`no agent works on ${step} now: it is ${s.status === "active" ? (attempt?.phase ?? "active") : s.status}`, look);
  const executor = state.agents.find((a) => a.id === attempt.agent)?.executor ?? "";
  if (!takesMessages(executor))
    throw refused(
      `messages are not supported by ${attempt.agent}: agents of executor ${executor || "?"} are given one prompt`,
      "Agents of executor acp or chat take messages. `stepfall reject --rework`, or `stepfall reassign`, has the work done again.",
    );
  return { attempt, agent: attempt.agent };
}

const refused = (message: string, hint: string): EngineError => new EngineError("MESSAGE_REFUSED", message, hint);
