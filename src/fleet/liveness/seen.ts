/**
 * What can be seen of one running attempt, as it is seen. Times are epoch ms of the thing itself, not of whoever hears of it later.
 * Everything is optional: an agent at an A2A endpoint has no process, an agent on its user's login no model calls that we see.
 */
export type Seen =
  /** Its process was started: what came before was no silence of its own. */
  | { kind: "started"; at: number }
  /** A line of a process's output. */
  | { kind: "output"; at: number; stream: "stdout" | "stderr"; bytes: number }
  | ({ kind: "action"; at: number } & Action)
  /** Its files are others than before, by whatever means that is known. */
  | { kind: "change"; at: number }
  | { kind: "call-started"; at: number; call: string }
  /** Bytes of an answer passed. */
  | { kind: "call-bytes"; at: number; call: string }
  | { kind: "call-ended"; at: number; call: string; tokens?: number; microUsd?: number }
  /** It asked leave, or anything else that only a person can give. */
  | { kind: "wait-began"; at: number; item: string }
  | { kind: "wait-ended"; at: number; item: string }
  /**
   * Whoever owns its processes is there. `cpuMs`: processor time that they used together since they began (see cpu-time.ts); absent where
   * that cannot be read. It may fall, when one of them ends.
   */
  | { kind: "beat"; at: number; cpuMs?: number; rssBytes?: number }
  /** The system's process table was asked for the process, by pid and start time. */
  | { kind: "process"; at: number; found: ProcessFound; pid: number }
  /** Somebody looked, whatever there was to be seen: what passes between two looks that are far apart was seen by nobody. */
  | { kind: "look"; at: number };

/** `replaced`: the pid belongs to another process now. `unreadable`: the system did not tell. */
export type ProcessFound = "alive" | "gone" | "replaced" | "unreadable";

/** One tool call, when it is over or as soon as it is told of. */
export interface Action {
  /** What kind of thing on which target: equal for equal calls, e.g. `run npm test`. */
  signature: string;
  /** Equal for equal results; absent where the result is not seen. */
  result?: string;
  /** It writes files by itself, and what it writes is not part of the signature: no two of its calls are known to be equal. */
  isOpaqueChange?: boolean;
}

export interface LivenessLimits {
  /** Without output, model call and processor time for so long: stuck. */
  silenceMs: number;
  /** So many equal tool calls with equal results, or calls that go round in a circle of two or three: stuck. */
  repeats: number;
  /** What happened within this time happens now: the difference between running and idle. */
  activeMs: number;
  /** How often a beat is due, and how many may be missing. */
  beatMs: number;
  missedBeats: number;
  /**
   * Share of one processor above which its processes count as at work. Measured on gemini 0.61 and qwen 0.24 that wait for their model: see
   * docs/liveness.md.
   */
  cpuShare: number;
  /** Of the time between two looks, only this much was watched: beyond it the machine slept, or the engine was stopped. */
  gapMs: number;
  /** A state is shown when it has lasted this long; `stuck` and `dead` at once. */
  holdMs: number;
}

export const defaultLimits: LivenessLimits = {
  silenceMs: 10 * 60_000,
  repeats: 8,
  activeMs: 15_000,
  beatMs: 2_000,
  missedBeats: 5,
  cpuShare: 0.1,
  gapMs: 60_000,
  holdMs: 5_000,
};

export type LivenessState = "running" | "idle" | "stuck" | "unknown" | "dead";

export interface Liveness {
  state: LivenessState;
  /** Epoch ms. */
  since: number;
  /** What was seen that makes it so, a sentence each. */
  evidence: readonly string[];
}
