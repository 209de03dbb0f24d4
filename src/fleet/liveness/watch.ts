import { Activity } from "./activity.ts";
import { liveness } from "./liveness.ts";
import { risk, type Peer, type Risk } from "./risk.ts";
import { defaultLimits, type Liveness, type LivenessLimits, type LivenessState, type Seen } from "./seen.ts";
import { actionInProgress } from "./signature.ts";
import { ToolLines } from "./tool-lines.ts";

/** How a running attempt is, for live views: an item of the engine's feed, and what a live file holds. */
export interface LivenessItem {
  kind: "liveness";
  at: number;
  attempt: string;
  step: string;
  state: LivenessState;
  since: number;
  evidence: readonly string[];
  /** Absent where nothing is known to compute it from. */
  risk?: Risk;
}

export interface WatchOptions {
  attempt: string;
  step: string;
  /** Epoch ms. */
  startedAt: number;
  limits?: Partial<LivenessLimits>;
  peers?: readonly Peer[];
}

/**
 * Watches one running attempt. Feed it what is seen (`see`, `output`, `progress`), ask it every few seconds (`judge`). Its answer does not
 * flap: a state is shown once it has lasted `holdMs`, but `stuck` and `dead` at once, since those are waited for long enough or are facts.
 */
export class LivenessWatch {
  readonly activity: Activity;
  readonly #options: WatchOptions;
  readonly #limits: LivenessLimits;
  readonly #lines = new Map<string, ToolLines>();
  #knowsLines = false;
  #shown: Liveness | undefined;
  #coming: { state: LivenessState; at: number } | undefined;

  constructor(options: WatchOptions) {
    this.#options = options;
    this.#limits = { ...defaultLimits, ...options.limits };
    this.activity = new Activity(options.startedAt, this.#limits);
  }

  see(seen: Seen): void {
    this.activity.see(seen);
  }

  /** A line that one of its processes printed. `source` tells processes that print at the same time apart. */
  output(line: { at: number; stream: "stdout" | "stderr"; text: string }, source = ""): void {
    this.see({ kind: "output", at: line.at, stream: line.stream, bytes: Buffer.byteLength(line.text) });
    if (line.stream !== "stdout") return;
    let lines = this.#lines.get(source);
    if (!lines) this.#lines.set(source, (lines = new ToolLines()));
    for (const action of lines.read(line.text)) {
      // What was told of the same calls in words would count them twice.
      if (!this.#knowsLines) this.activity.forgetActions();
      this.#knowsLines = true;
      this.see({ kind: "action", at: line.at, ...action });
    }
  }

  /** A line of progress, as executors tell it: the only word of the calls of an agent whose output is not understood. */
  progress(text: string, at: number): void {
    const told = this.#knowsLines ? undefined : actionInProgress(text);
    if (!told) return this.see({ kind: "look", at });
    const { action, isFailureOfLast } = told;
    if (isFailureOfLast && this.activity.lastFailed(action.signature, action.result ?? "failed")) return this.see({ kind: "look", at });
    this.see({ kind: "action", at, ...action });
  }

  /** How it is now. Also says that somebody watched: call it at least every `gapMs`. */
  judge(now: number): LivenessItem {
    this.see({ kind: "look", at: now });
    const seen = liveness(this.activity, now, this.#limits);
    const shown = this.#settle(seen, now);
    const { attempt, step, peers = [] } = this.#options;
    const score = risk(this.activity, peers, now, this.#limits);
    return { kind: "liveness", at: now, attempt, step, ...shown, ...(score.factors.length === 0 ? {} : { risk: score }) };
  }

  /** A person has seen how it is, and lets it go on: from here on it is judged anew. */
  beginAnew(): void {
    this.activity.forgetActions();
    this.#shown = undefined;
    this.#coming = undefined;
  }

  #settle(seen: Liveness, now: number): Liveness {
    const before = this.#shown;
    if (before?.state === seen.state) {
      this.#coming = undefined;
      return (this.#shown = { ...seen, since: Math.min(before.since, seen.since) });
    }
    if (before && seen.state !== "stuck" && seen.state !== "dead") {
      if (this.#coming?.state !== seen.state) this.#coming = { state: seen.state, at: now };
      if (now - this.#coming.at < this.#limits.holdMs) return before;
    }
    this.#coming = undefined;
    return (this.#shown = seen);
  }
}
