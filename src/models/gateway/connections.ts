import type { ChildProcess } from "node:child_process";
import type { Socket } from "node:net";
import type { ToWorker } from "./handover.ts";

/** More than this many wait for nobody. */
const mostWaiting = 1_000;

/**
 * Connections on their way from the holder to its worker. The holder keeps its own copy of one, unread, until the worker says that it has it:
 * those of a worker that died before are given to the next.
 */
export class Connections {
  readonly #waiting = new Map<number, Socket>();
  #worker: ChildProcess | undefined;
  #last = 0;

  add(socket: Socket): void {
    if (this.#waiting.size >= mostWaiting) return void socket.destroy();
    const n = (this.#last += 1);
    this.#waiting.set(n, socket);
    // One that the caller has given up is noticed by the worker; here it must only not throw.
    socket.on("error", () => undefined);
    this.#send(n, socket);
  }

  /** There is a worker: it gets all that wait. */
  worker(worker: ChildProcess): void {
    this.#worker = worker;
    for (const [n, socket] of this.#waiting) this.#send(n, socket);
  }

  workerGone(): void {
    this.#worker = undefined;
  }

  taken(n: number): void {
    // Closes our copy only: the worker's goes on.
    this.#waiting.get(n)?.destroy();
    this.#waiting.delete(n);
  }

  missed(n: number): void {
    const socket = this.#waiting.get(n);
    if (socket) this.#send(n, socket);
  }

  closeWaiting(): void {
    for (const n of this.#waiting.keys()) this.taken(n);
  }

  #send(n: number, socket: Socket): void {
    if (!this.#worker?.connected) return;
    if (socket.destroyed) return void this.#waiting.delete(n);
    this.#worker.send({ type: "connection", n } satisfies ToWorker, socket, { keepOpen: true }, () => undefined);
  }
}
