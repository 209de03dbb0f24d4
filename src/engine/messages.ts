import type { AgentMessage, Messages } from "../agents/index.ts";
import type { AttemptMessage, RunState } from "../domain/index.ts";
import type { RunLog } from "./run-log.ts";

const MOST_TOLD_AGAIN = 20;

interface Follower {
  step: string;
  attempt: string;
  take: (message: AgentMessage) => void;
  told: number;
}

/**
 * Hands what people say to the agents of running attempts. An engine that takes an attempt up hands all of its messages on again: its executor and
 * keeper know which of them the agent has had, so that none comes twice and none is left out.
 */
export class MessageDesk {
  readonly #log: () => RunLog;
  readonly #followers = new Set<Follower>();
  /** Deliveries that are on their way into the journal, or were refused there. */
  readonly #reported = new Set<string>();

  constructor(log: () => RunLog) {
    this.#log = log;
  }

  of(step: string, attempt: string): Messages {
    return {
      follow: (take) => {
        const follower: Follower = { step, attempt, take, told: 0 };
        this.#followers.add(follower);
        tell(this.#log().state, follower);
        return { [Symbol.dispose]: () => void this.#followers.delete(follower) };
      },
      delivered: (n) => this.#delivered(step, attempt, n),
    };
  }

  /** Hands on what people have said. */
  look(state: RunState): void {
    for (const follower of this.#followers) tell(state, follower);
  }

  #delivered(step: string, attempt: string, n: number): void {
    const key = `${attempt} ${n}`;
    const message = messagesIn(this.#log().state, step, attempt)[n - 1];
    if (!message || message.deliveredAt !== undefined || this.#reported.has(key)) return;
    this.#reported.add(key);
    const submitted = this.#log().submit({ events: [{ type: "MessageDelivered", data: { attempt, step, n } }], cause: attempt });
    // The run is somebody else's, or the store is gone: who takes the attempt up hears of it again.
    submitted.catch(() => {});
  }
}

/** The latest of what people said to earlier attempts of the step: the next one is told again, since it begins anew. */
export function saidBefore({
  step,
  attempt,
  state,
}: {
  step: { path: string };
  attempt: string;
  state: Pick<RunState, "steps">;
}): AttemptMessage[] {
  const earlier = (state.steps.get(step.path)?.attempts ?? []).filter((a) => a.id !== attempt);
  return earlier.flatMap((a) => a.messages ?? []).slice(-MOST_TOLD_AGAIN);
}

const messagesIn = (state: RunState, step: string, attempt: string) =>
  state.steps.get(step)?.attempts.find((a) => a.id === attempt)?.messages ?? [];

function tell(state: RunState, follower: Follower): void {
  const all = messagesIn(state, follower.step, follower.attempt);
  while (follower.told < all.length) {
    const message = all[follower.told++];
    if (message) follower.take({ n: message.n, by: message.by, text: message.text });
  }
}
