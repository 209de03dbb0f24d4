import { chmodSync, rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { TranscriptPosition } from "../host/transcript.ts";
import { encode, MessageLines, type FromKeeper, type ToKeeper } from "./protocol.ts";

/** How long an engine may take to read its last message. */
const FAREWELL_MS = 1000;

export interface ListenerOptions {
  path: string;
  /** Of the engine that started the keeper: an older one is refused from the beginning. */
  epoch: number;
  position(): TranscriptPosition;
  /** From the engine that has the say. */
  obey(message: Exclude<ToKeeper, { kind: "hello" | "status" }>, answer: (message: FromKeeper) => void): void;
  status(): FromKeeper;
}

/**
 * The socket of a keeper. One connection has the say: that of the highest epoch, and of two equal ones the later. Whoever had it
 * before is told that it is superseded and closed; what it sent and was not read yet is not read any more, so an engine that was
 * stopped and wakes up changes nothing.
 */
export class Listener {
  readonly #o: ListenerOptions;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #epoch: number;
  #inCharge: Socket | undefined;
  #toldBytes = 0;
  #isTelling = false;

  constructor(options: ListenerOptions) {
    this.#o = options;
    this.#epoch = options.epoch;
    this.#server = createServer((socket) => this.#accept(socket));
  }

  /** Nobody but the user may connect; the agent, which inherits the mask of new files, is not to notice. */
  async open(): Promise<void> {
    const mask = process.umask(0o177);
    const listening = new Promise<void>((resolve, reject) => this.#server.once("error", reject).listen(this.#o.path, resolve));
    process.umask(mask);
    await listening;
    chmodSync(this.#o.path, 0o600);
  }

  /** Tells how far the transcript has grown; a reader that is slow is told the latest only. */
  grown(): void {
    const socket = this.#inCharge;
    if (!socket || this.#isTelling) return;
    const position = this.#o.position();
    if (position.bytes === this.#toldBytes) return;
    this.#toldBytes = position.bytes;
    this.#isTelling = true;
    socket.write(encode({ kind: "grown", position }), () => {
      this.#isTelling = false;
      this.grown();
    });
  }

  async close(last: FromKeeper): Promise<void> {
    this.#server.close();
    rmSync(this.#o.path, { force: true });
    const closed = [...this.#sockets].map((socket) => new Promise((resolve) => socket.once("close", resolve)));
    for (const socket of this.#sockets) socket.end(socket === this.#inCharge ? encode(last) : "");
    await Promise.race([Promise.all(closed), sleep(FAREWELL_MS)]);
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket);
    const lines = new MessageLines<ToKeeper>();
    socket.on("error", () => {});
    socket.on("close", () => {
      this.#sockets.delete(socket);
      if (this.#inCharge !== socket) return;
      this.#inCharge = undefined;
      this.#isTelling = false;
    });
    socket.on("data", (chunk) => {
      try {
        for (const message of lines.push(chunk)) this.#take(socket, message);
      } catch {
        socket.destroy(); // not one of ours
      }
    });
  }

  #take(socket: Socket, message: ToKeeper): void {
    if (socket.writableEnded) return;
    const answer = (to: FromKeeper): void => void (socket.writable && socket.write(encode(to)));
    if (message.kind === "hello") return this.#hello(socket, message.epoch);
    if (message.kind === "status") return answer(this.#o.status());
    if (socket === this.#inCharge) this.#o.obey(message, answer);
  }

  #hello(socket: Socket, epoch: number): void {
    if (epoch < this.#epoch) return this.#supersede(socket);
    this.#epoch = epoch;
    if (this.#inCharge && this.#inCharge !== socket) this.#supersede(this.#inCharge);
    this.#inCharge = socket;
    this.#isTelling = false;
    const position = this.#o.position();
    this.#toldBytes = position.bytes;
    socket.write(encode({ kind: "welcome", position }));
  }

  #supersede(socket: Socket): void {
    socket.end(encode({ kind: "superseded", epoch: this.#epoch }));
  }
}
