import type { ExecutionResult } from "../agents/index.ts";
import type { RunEvent, Usage } from "../domain/index.ts";
import type { AttemptWork } from "./attempt.ts";
import { exhaustedEvent } from "./budgets.ts";
import type { EngineDeps } from "./contract.ts";

/** A budget that refused a call, as the gateway says. */
export interface Exhausted {
  id: string;
  limit: number;
  spent: number;
  /** What the refused call would have reserved. */
  needed?: number;
}

/** A provider's limit that an attempt ended at, and when it may go on, epoch ms. */
export interface QuotaEnd {
  provider: string;
  retryAt: number;
}

type FailureKind = Extract<RunEvent, { type: "AttemptFailed" }>["data"]["kind"];
/** Why an attempt was stopped that has failed by it. */
export class EndedFor extends Error {
  readonly kind: FailureKind;
  constructor(kind: FailureKind, message: string) {
    super(message);
    this.kind = kind;
  }
}

type Told = Pick<AttemptWork, "attempt" | "step" | "signal" | "state">;

/** The events that say how an attempt ended that no gate judged. */
export class Outcome {
  readonly #deps: Pick<EngineDeps, "mask">;
  readonly #work: Told;

  constructor(deps: Pick<EngineDeps, "mask">, work: Told) {
    this.#deps = deps;
    this.#work = work;
  }

  get of(): { attempt: string; step: string } {
    return { attempt: this.#work.attempt, step: this.#work.step.path };
  }

  failed(kind: FailureKind, message: string, usage?: Usage, quota?: QuotaEnd): RunEvent {
    const said = this.#deps.mask(message).slice(0, 4000);
    return {
      type: "AttemptFailed",
      data: { ...this.of, kind, message: said, ...(usage ? { usage } : {}), ...(quota ? { quota } : {}) },
    };
  }

  interrupted(usage?: Usage): RunEvent {
    return { type: "AttemptInterrupted", data: { ...this.of, because: abortReason(this.#work.signal), ...(usage ? { usage } : {}) } };
  }

  /** The agent did not say that it is done. */
  notDone(result: Exclude<ExecutionResult, { kind: "ended" }>, usage: Usage | undefined, exhausted: Exhausted | undefined): RunEvent[] {
    if (result.kind === "aborted") return [this.interrupted(usage)];
    // The gateway's word for it counts: an agent may take a refused call for a failure of its own.
    if (exhausted && (result.because === "budget" || result.because === "agent" || result.because === "provider")) {
      return [this.failed("budget", result.message, usage), exhaustedEvent(exhausted, this.#work.step.path)];
    }
    return [this.failed(result.because === "budget" ? "provider" : result.because, result.message, usage, result.quota)];
  }
}

const abortReason = (signal: AbortSignal): string =>
  signal.reason instanceof Error ? signal.reason.message : typeof signal.reason === "string" ? signal.reason : "stopped";
