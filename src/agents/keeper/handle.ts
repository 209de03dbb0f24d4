import { statSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { AgentHandle, Exit, OutputLine, ProcessRecord } from "../contract.ts";
import { AgentError } from "../errors.ts";
import { readLines } from "../host/transcript-lines.ts";
import type { TranscriptPosition } from "../host/transcript.ts";
import { readInputs, type KeeperRecord } from "./folder.ts";
import { errorOf, superseded, type Follower } from "./follow.ts";
import { Replay } from "./replay.ts";

export interface HandleOptions {
  folder: string;
  keeper: KeeperRecord;
  /** Absent: the agent could not be started. */
  agent: ProcessRecord | undefined;
  from: TranscriptPosition;
  follower: Follower;
  /** It was started by an earlier engine. */
  isTakenUp: boolean;
  replayPatienceMs: number;
  /** How long a keeper that was told to end its agent may take before it is ended itself. */
  endMs: number;
  /** Ends what is left of keeper and agent; answers what that was. */
  endAll(): Promise<readonly ProcessRecord[]>;
  /** What is known of a keeper that is gone. */
  evidence(): string;
  /** Lines are read from here when nothing else is said. */
  firstSeq: number;
}

/** A process that a keeper owns, as an engine sees it. Made when the keeper has given this engine the say, or is gone. */
export class KeptHandle implements AgentHandle {
  readonly process: ProcessRecord;
  readonly inputs: readonly string[];
  declare readonly caughtUpAt?: number;
  readonly #o: HandleOptions;
  readonly #replay: Replay;
  readonly #settled: Promise<Exit>;
  /** The last line that was read by anybody. */
  #seen: number;
  #isAborted = false;

  constructor(options: HandleOptions) {
    this.#o = options;
    this.process = options.agent ?? { pid: 0, startTime: "", pgid: 0 };
    const inputs = options.isTakenUp ? readInputs(options.folder) : [];
    this.inputs = inputs.map((input) => input.text);
    this.#replay = new Replay(inputs);
    this.#seen = options.from.seq;
    if (options.isTakenUp) this.caughtUpAt = options.follower.position.seq;
    this.#settled = this.#run();
    this.#settled.catch(() => {}); // settle() tells
  }

  isReplaying(): boolean {
    return this.caughtUpAt !== undefined && this.#seen <= this.caughtUpAt;
  }

  async *lines(fromSeq = this.#o.firstSeq): AsyncGenerator<OutputLine> {
    const { follower, keeper, from } = this.#o;
    const all = readLines(keeper.transcript, from.bytes, 1, () => ({
      bytes: endOf(keeper.transcript, follower),
      isLast: follower.final !== undefined,
      changed: follower.changed,
    }));
    // It may be that nothing could be started: then there is no file.
    if (follower.final && endOf(keeper.transcript, follower) <= from.bytes) return;
    for await (const line of all) {
      await this.#mayRead(line.seq);
      const { final } = follower;
      if (final?.kind === "superseded" || final?.kind === "let-go") return;
      this.#seen = Math.max(this.#seen, line.seq);
      if (line.seq >= fromSeq) yield line;
    }
  }

  async #mayRead(seq: number): Promise<void> {
    const { follower, replayPatienceMs } = this.#o;
    while (!this.#replay.mayPass(seq)) {
      const timer = new AbortController();
      const patience = sleep(replayPatienceMs, "out" as const, { signal: timer.signal }).catch(() => undefined);
      const what = await Promise.race([this.#replay.changed, patience, isTakenAway(follower)]);
      timer.abort();
      if (what === "taken") return;
      if (what === "out") this.#replay.holdNothing();
    }
  }

  async send(text: string): Promise<void> {
    if (!this.#replay.takes(text)) await this.#o.follower.send(text, this.#seen);
  }

  signal(signal: "SIGTERM" | "SIGINT" | "SIGKILL"): void {
    this.#o.follower.signal(signal);
  }

  async settle(signal?: AbortSignal): Promise<Exit> {
    const abort = (): void => void this.#abort();
    if (signal?.aborted) abort();
    signal?.addEventListener("abort", abort, { once: true });
    try {
      return await this.#settled;
    } finally {
      signal?.removeEventListener("abort", abort);
    }
  }

  async #abort(): Promise<void> {
    const { follower, endMs, endAll } = this.#o;
    if (this.#isAborted || follower.final) return;
    this.#isAborted = true;
    follower.end();
    const timer = new AbortController();
    await Promise.race([follower.finished, sleep(endMs, undefined, { signal: timer.signal }).catch(() => {})]);
    timer.abort();
    // It lives and does not act: stopped by somebody, or stuck in a full disk.
    if (!follower.final) await endAll();
  }

  async #run(): Promise<Exit> {
    const { follower, endAll, evidence } = this.#o;
    const beganAt = performance.now();
    const final = await follower.finished;
    switch (final.kind) {
      case "ended":
        if (final.record.outcome.kind === "exit") return final.record.outcome.exit;
        throw errorOf(final.record.outcome.trouble);
      case "superseded":
        throw superseded(`epoch ${final.epoch}`);
      case "let-go":
        throw new AgentError("AGENT_LET_GO", "its engine let go of this attempt; the agent goes on", "Take it up again, or end it.");
      case "lost": {
        const ended = await endAll();
        if (this.#isAborted) return { kind: "aborted", durationMs: Math.round(performance.now() - beganAt) };
        const left = ended.length > 0 ? `ended of its agent: ${ended.map(({ pid }) => pid).join(", ")}` : "nothing was left of its agent";
        const hint = "What the agent did until then is in its workspace and transcript; the attempt has no result.";
        throw new AgentError("AGENT_KEEPER_LOST", `${evidence()}; ${left}`, hint);
      }
      default:
        return final satisfies never;
    }
  }
}

async function isTakenAway(follower: Follower): Promise<"taken"> {
  const { kind } = await follower.finished;
  if (kind === "superseded" || kind === "let-go") return "taken";
  return new Promise(() => {}); // it ended: what it said is still told
}

/** How far the transcript may be read. A keeper that is gone has said less than it wrote. */
function endOf(transcript: string, follower: Follower): number {
  if (follower.final?.kind !== "lost") return follower.position.bytes;
  return statSync(transcript, { throwIfNoEntry: false })?.size ?? 0;
}
