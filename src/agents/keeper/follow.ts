import { randomUUID } from "node:crypto";
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { AgentError } from "../errors.ts";
import { isAlive } from "../host/process.ts";
import type { TranscriptPosition } from "../host/transcript.ts";
import { readExit, type ExitRecord, type KeeperRecord } from "./folder.ts";
import { encode, MessageLines, type FromKeeper, type ToKeeper, type Trouble } from "./protocol.ts";

/** Why nothing more is heard of a process. */
export type Final =
  | { kind: "ended"; record: ExitRecord }
  /** Its keeper is gone and has left no exit. */
  | { kind: "lost" }
  | { kind: "superseded"; epoch: number }
  | { kind: "let-go" };

/** Longest pause between two tries to reach a keeper that lives and does not answer. */
const LONGEST_PAUSE_MS = 500;

interface Sending {
  message: Extract<ToKeeper, { kind: "send" }>;
  done: PromiseWithResolvers<void>;
}

/**
 * An engine's connection to a keeper, made again as long as the keeper lives. What was sent and not answered is sent again: the
 * keeper knows it by its id. The socket only carries word of growth; that a process has ended counts when its exit is on disk.
 */
export class Follower {
  readonly #folder: string;
  readonly #keeper: KeeperRecord;
  readonly #epoch: number;
  #position: TranscriptPosition;
  #final: Final | undefined;
  #socket: Socket | undefined;
  #isWelcome = false;
  #isEnding = false;
  readonly #sending = new Map<string, Sending>();
  readonly #ready = Promise.withResolvers<void>();
  readonly #finished = Promise.withResolvers<Final>();
  #changed = Promise.withResolvers<void>();

  constructor(folder: string, keeper: KeeperRecord, epoch: number, position: TranscriptPosition) {
    this.#folder = folder;
    this.#keeper = keeper;
    this.#epoch = epoch;
    this.#position = position;
    void this.#run();
  }

  /** The keeper has given this engine the say, or nothing more is heard of it. */
  get ready(): Promise<void> {
    return this.#ready.promise;
  }
  get position(): TranscriptPosition {
    return this.#position;
  }
  get final(): Final | undefined {
    return this.#final;
  }
  get finished(): Promise<Final> {
    return this.#finished.promise;
  }
  /** Resolves when there is more to read or nothing more comes. */
  get changed(): Promise<void> {
    return this.#changed.promise;
  }

  async send(text: string, seen: number): Promise<void> {
    if (this.#final) throw notSent(this.#final);
    const message = { kind: "send", id: randomUUID(), seen, text } as const;
    const done = Promise.withResolvers<void>();
    this.#sending.set(message.id, { message, done });
    this.#write(message);
    return done.promise;
  }

  signal(signal: "SIGTERM" | "SIGINT" | "SIGKILL"): void {
    this.#write({ kind: "signal", signal });
  }

  end(): void {
    this.#isEnding = true;
    this.#write({ kind: "end" });
  }

  letGo(): void {
    this.#finish({ kind: "let-go" });
  }

  #write(message: ToKeeper): void {
    if (this.#isWelcome) this.#socket?.write(encode(message));
  }

  async #run(): Promise<void> {
    for (let pause = 5; !this.#final; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
      // In this order: a keeper writes the exit before it ends.
      const isGone = !isAlive(this.#keeper.keeper);
      const record = readExit(this.#folder);
      if (record) return this.#finish({ kind: "ended", record });
      if (isGone) return this.#finish({ kind: "lost" });
      if (await this.#talk()) pause = 5;
      if (!this.#final) await Promise.race([sleep(pause), this.#finished.promise]);
    }
  }

  /** One connection, to its end. Answers whether it was one. */
  async #talk(): Promise<boolean> {
    const socket = connect(this.#keeper.socket);
    const lines = new MessageLines<FromKeeper>();
    let wasMade = false;
    this.#socket = socket;
    socket.on("connect", () => {
      wasMade = true;
      socket.write(encode({ kind: "hello", epoch: this.#epoch }));
    });
    socket.on("data", (chunk) => lines.push(chunk).forEach((message) => this.#take(message)));
    socket.on("error", () => {}); // closed next
    await new Promise((resolve) => socket.once("close", resolve));
    this.#isWelcome = false;
    this.#socket = undefined;
    return wasMade;
  }

  #take(message: FromKeeper): void {
    switch (message.kind) {
      case "welcome":
        this.#isWelcome = true;
        this.#grow(message.position);
        for (const { message: again } of this.#sending.values()) this.#write(again);
        if (this.#isEnding) this.#write({ kind: "end" });
        return this.#ready.resolve();
      case "grown":
        return this.#grow(message.position);
      case "sent": {
        const sending = this.#sending.get(message.id);
        this.#sending.delete(message.id);
        if (message.trouble) sending?.done.reject(errorOf(message.trouble));
        else sending?.done.resolve();
        return;
      }
      case "superseded":
        return this.#finish({ kind: "superseded", epoch: message.epoch });
      case "over":
      case "status":
        return; // the end of the connection follows; nobody asks for the other here
      default:
        message satisfies never;
    }
  }

  #grow(position: TranscriptPosition): void {
    this.#position = position;
    this.#notify();
  }

  #finish(final: Final): void {
    if (this.#final) return;
    this.#final = final;
    if (final.kind === "ended") this.#position = final.record.to;
    this.#socket?.destroy();
    for (const { done } of this.#sending.values()) done.reject(notSent(final));
    this.#sending.clear();
    this.#ready.resolve();
    this.#finished.resolve(final);
    this.#notify();
  }

  #notify(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
  }
}

export const errorOf = ({ code, message, hint }: Trouble): AgentError => new AgentError(code, message, hint);

function notSent(final: Final): AgentError {
  if (final.kind === "superseded") return superseded(`epoch ${final.epoch}`);
  return new AgentError("AGENT_STDIN_CLOSED", "the process has ended, or is not followed any more", "See settle() for how it ended.");
}

export const superseded = (by: string): AgentError =>
  new AgentError("AGENT_SUPERSEDED", `another engine has this attempt now (${by})`, "Leave it alone: that engine carries it on.");
