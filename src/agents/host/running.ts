import { statfsSync } from "node:fs";
import { dirname } from "node:path";
import type { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import type { Clock } from "../../domain/index.ts";
import type { AgentHandle, Exit, OutputLine, ProcessRecord, SpawnSpec } from "../contract.ts";
import { AgentError } from "../errors.ts";
import type { GatedProcess } from "./gate.ts";
import { LineSplitter, type Mask } from "./lines.ts";
import { endMembers, findMembers, type EndGrace } from "./process.ts";
import type { Transcript } from "./transcript.ts";

type Stop = "deadline" | "aborted" | "flooded";

export interface RunningOptions {
  spec: SpawnSpec;
  gated: GatedProcess;
  record: ProcessRecord;
  transcript: Transcript;
  clock: Clock;
  mask: Mask;
  grace: EndGrace;
  /**
   * Whether no other process of the attempt runs now. While one does, its children carry the same attempt in their
   * environment, so only group, session and parentage tell whose a process is.
   */
  isLastOfAttempt(): boolean;
  /** The whole group is gone and the transcript is on disk. */
  onGone(): void;
}

/** How long silence is waited out when every process we know of is gone and something else holds the pipe. */
const DRAIN_MS = 250;
/** setTimeout takes no more. */
const LONGEST_TIMER = 2 ** 31 - 1;
/** With less than this free whatever a program writes may fail. */
const FULL_BYTES = 1_000_000;

/**
 * A process from `go` to the end of its group. It ends in one of two ways: the leader exits, which is the result, and
 * what it left behind is ended; or a deadline, an abort or a flood ends all of it.
 */
export class RunningProcess implements AgentHandle {
  readonly process: ProcessRecord;
  readonly #o: RunningOptions;
  readonly #startedAt = performance.now();
  readonly #exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  readonly #gone: Promise<Exit>;
  readonly #stopped = Promise.withResolvers<Stop>();
  #isStopping = false;
  #isFlooded = false;
  #chunks = 0;
  #leaderExited = false;
  #unstartable: string | undefined;

  constructor(options: RunningOptions) {
    this.#o = options;
    this.process = options.record;
    const { child, stdout, stderr } = options.gated;
    this.#exited = new Promise((resolve) =>
      child.once("exit", (code, signal) => {
        this.#leaderExited = true;
        resolve({ code, signal });
      }),
    );
    const output = Promise.all([this.#read(stdout, "stdout"), this.#read(stderr, "stderr")]);
    this.#gone = this.#run(output);
    this.#gone.catch(() => {}); // settle() tells
  }

  /** Reads no further while the transcript waits for the disk: a flooding agent then blocks on its full pipe. */
  async #read(stream: Readable, name: OutputLine["stream"]): Promise<void> {
    const splitter = new LineSplitter(this.#o.mask);
    const add = (lines: string[]) => {
      for (const text of lines) {
        if (this.#isComplaint(name, text)) continue;
        this.#isFlooded ||= !this.#o.transcript.append(name, text, this.#o.clock.now());
        if (this.#isFlooded) return this.#stop("flooded");
      }
    };
    try {
      for await (const chunk of stream) {
        this.#chunks += 1;
        add(splitter.push(chunk as Buffer));
        if (this.#o.transcript.isFull) await this.#o.transcript.drained();
        if (this.#o.transcript.failure) this.#stop("flooded");
      }
    } catch {
      // destroyed below: the processes are gone, or the pipe broke with them
    }
    add(splitter.end());
  }

  #isComplaint(stream: OutputLine["stream"], text: string): boolean {
    if (stream !== "stderr" || this.#unstartable !== undefined || !text.startsWith(`${this.#o.gated.complaint}:`)) return false;
    this.#unstartable = text.replace(/^.*?exec: /, "");
    return true;
  }

  #stop(why: Stop): void {
    this.#stopped.resolve(why);
  }

  async #run(output: Promise<unknown>): Promise<Exit> {
    const deadline = setTimeout(() => this.#stop("deadline"), Math.min(this.#o.spec.deadlineMs, LONGEST_TIMER));
    const ended = await Promise.race([this.#exited, this.#stopped.promise]);
    const durationMs = Math.round(performance.now() - this.#startedAt);
    await this.#endGroup();
    clearTimeout(deadline);
    const { code, signal } = await this.#exited;
    await this.#drain(output);
    this.#o.gated.stdout.destroy();
    this.#o.gated.stderr.destroy();
    this.#o.gated.stdin?.destroy();
    await output;
    const failure = this.#o.transcript.failure;
    await this.#o.transcript.close();
    this.#o.onGone();
    if (failure) {
      const message = `the transcript of ${this.#o.spec.attempt} could not be written: ${failure.message}`;
      throw new AgentError("AGENT_TRANSCRIPT_IO", message, "Check that STEPFALL_HOME has space left.", { cause: failure });
    }
    if (typeof ended === "string") return { kind: ended, durationMs: Math.round(performance.now() - this.#startedAt) };
    if (this.#unstartable !== undefined) return { kind: "unstartable", message: this.#unstartable, durationMs };
    if (signal || code !== 0) this.#refuseOnFullDisk(signal ?? `exit ${code}`);
    if (signal) return { kind: "signalled", signal, durationMs };
    return { kind: "exited", code: code ?? 1, durationMs };
  }

  /** Said now and not by whoever asks later: there may be room again by then, and the failure would look like the program's own. */
  #refuseOnFullDisk(ended: string): void {
    const { attempt, transcript } = this.#o.spec;
    const free = freeAt(dirname(transcript));
    if (free === undefined || free >= FULL_BYTES) return;
    const message = `a process of ${attempt} failed (${ended}) while the disk was full: ${free} bytes were free`;
    throw new AgentError("AGENT_DISK_FULL", message, "Free some space, then go on.");
  }

  /** Two silent rounds: after a stall of this process the timer is due before the pipe was looked at. */
  async #drain(output: Promise<unknown>): Promise<void> {
    for (let silent = 0, seen = this.#chunks; silent < 2; seen = this.#chunks) {
      const isDone = await Promise.race([output.then(() => true), sleep(DRAIN_MS, false)]);
      if (isDone) return;
      silent = this.#chunks === seen ? silent + 1 : 0;
    }
  }

  async #endGroup(): Promise<void> {
    this.#isStopping = true;
    const find = () =>
      findMembers({
        leader: this.process,
        attempt: this.#o.isLastOfAttempt() ? this.#o.spec.attempt : undefined,
        // The leader was just collected by this process; until its group is empty its number is not given out again.
        groupIsOurs: true,
      });
    await endMembers(find, this.#o.grace);
  }

  lines(fromSeq = 1): AsyncIterable<OutputLine> {
    return this.#o.transcript.lines(fromSeq);
  }

  async send(text: string): Promise<void> {
    const { stdin } = this.#o.gated;
    if (!stdin?.writable) {
      throw new AgentError("AGENT_STDIN_CLOSED", `stdin of ${this.#o.spec.attempt} is not open`, 'Start it with stdin: "open".');
    }
    await new Promise<void>((resolve, reject) => stdin.write(text, (error) => (error ? reject(error) : resolve())));
  }

  signal(signal: "SIGTERM" | "SIGINT" | "SIGKILL"): void {
    if (this.#isStopping || this.#leaderExited) return; // its number may be another's by now
    try {
      // A sandbox's outer process heeds only KILL, and what runs inside is in a session of its own.
      if (this.#o.spec.confine) for (const { pid } of findMembers({ leader: this.process, groupIsOurs: true })) process.kill(pid, signal);
      else process.kill(-this.process.pgid, signal);
    } catch {
      // gone in this moment
    }
  }

  async settle(signal?: AbortSignal): Promise<Exit> {
    const abort = () => this.#stop("aborted");
    if (signal?.aborted) abort();
    signal?.addEventListener("abort", abort, { once: true });
    try {
      return await this.#gone;
    } finally {
      signal?.removeEventListener("abort", abort);
    }
  }
}

function freeAt(folder: string): number | undefined {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize;
  } catch {
    return undefined; // the folder is gone: nothing is known of its disk
  }
}
