import { Worker } from "node:worker_threads";
import { StoreError } from "../errors.ts";
import { storeError } from "./failure.ts";
import type { Answers, FromWorker, Outcome, Refusal, Request, ToWorker, WorkerSettings } from "./wire.ts";

interface Waiting {
  request: Request;
  size: number;
  resolve(value: never): void;
  reject(error: StoreError): void;
}

/** What one transaction takes at most, so that a flood of writes does not become one endless transaction. */
const MAX_REQUESTS = 1_000;
const MAX_CHARACTERS = 8_000_000;

/** Next to this file: `worker.ts` in the source, `store-worker.js` once bundled. */
const workerUrl = (): URL => new URL(import.meta.url.endsWith(".ts") ? "./worker.ts" : "./store-worker.js", import.meta.url);

const revive = ({ code, message, hint }: Refusal): StoreError => new StoreError(code, message, hint);

export interface StoreThread {
  ask<K extends Request["kind"]>(request: Extract<Request, { kind: K }>, size?: number): Promise<Answers[K]>;
  listen(listener: ThreadListener): void;
  /** Other processes' appends are reported to the listener while it is on. */
  watch(on: boolean): void;
  /** After what was asked so far is answered. */
  close(): Promise<void>;
}

export interface ThreadListener {
  appended(streams: readonly string[]): void;
  /** The watch does not see any more; after "closed" nothing comes. */
  failed(error: StoreError): void;
}

/**
 * Starts the worker and batches what is asked of it. One batch is on its way at a time; what is asked meanwhile makes
 * the next one, so the busier the store, the more writes share an fsync.
 */
export async function startThread(settings: WorkerSettings): Promise<StoreThread> {
  // Without the host's own flags, of which some (--input-type) are not for files.
  const worker = new Worker(workerUrl(), { workerData: settings, name: "stepfall-store", execArgv: [] });
  let pending: Waiting[] = [];
  let inFlight: Waiting[] = [];
  let listener: ThreadListener | undefined;
  let isScheduled = false;
  let isWatching = false;
  let isClosing = false;
  /** Why nothing can be asked any more. */
  let ended: StoreError | undefined;
  const opened = Promise.withResolvers<void>();
  const gone = Promise.withResolvers<void>();

  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
  const tell = (message: ToWorker): void => worker.postMessage(message);
  /** The process may end by itself when nothing is awaited from the worker. */
  const keepAlive = (): void => {
    if (inFlight.length > 0 || pending.length > 0 || isWatching || isClosing) worker.ref();
    else worker.unref();
  };

  const send = (): void => {
    isScheduled = false;
    if (ended || inFlight.length > 0 || pending.length === 0) return;
    let count = 0;
    for (let size = 0; count < pending.length && count < MAX_REQUESTS && size < MAX_CHARACTERS; count++) size += pending[count]!.size;
    inFlight = pending.slice(0, count);
    pending = pending.slice(count);
    keepAlive();
    try {
      tell({ kind: "batch", requests: inFlight.map((waiting) => waiting.request) });
    } catch (error) {
      // A value that cannot be copied to another thread: the caller's mistake, but nobody may be left waiting.
      const refused = storeError("STORE_FAILED", `Not a value the store can take: ${String(error)}`, error);
      for (const waiting of inFlight.splice(0)) waiting.reject(refused);
      send();
    }
  };

  const closeWhenIdle = (): void => {
    if (isClosing && inFlight.length === 0 && pending.length === 0) tell({ kind: "close" });
  };

  const settle = (outcomes: readonly Outcome[]): void => {
    const answered = inFlight;
    inFlight = [];
    // The worker gets its next batch before anybody here acts on this one.
    send();
    answered.forEach((waiting, i) => {
      const outcome = outcomes[i]!;
      if (outcome.ok) waiting.resolve(outcome.value as never);
      else waiting.reject(revive(outcome.refusal));
    });
    keepAlive();
    closeWhenIdle();
  };

  const end = (error: StoreError): void => {
    if (ended) return;
    ended = error;
    for (const waiting of [...inFlight, ...pending]) waiting.reject(error);
    inFlight = [];
    pending = [];
    opened.reject(error);
    listener?.failed(error);
    gone.resolve();
  };

  worker.on("message", (message: FromWorker) => {
    switch (message.kind) {
      case "opened":
        return opened.resolve();
      case "refused":
        return end(revive(message.refusal));
      case "outcomes":
        return settle(message.outcomes);
      case "appended":
        return listener?.appended(message.streams);
      case "blind":
        return listener?.failed(revive(message.refusal));
      case "closed":
        return end(storeError("STORE_CLOSED", `The store ${settings.file} is closed`));
      default:
        message satisfies never;
    }
  });
  worker.on("error", (error) => end(storeError("STORE_FAILED", `The store's thread failed: ${error.message}`, error)));
  worker.on("exit", (code) => end(storeError("STORE_FAILED", `The store's thread ended with ${code}`)));

  await opened.promise;
  keepAlive();

  return {
    ask(request, size = 0) {
      if (ended || isClosing) return Promise.reject(ended ?? storeError("STORE_CLOSED", `The store ${settings.file} is closed`));
      return new Promise((resolve, reject) => {
        pending.push({ request, size, resolve, reject });
        if (isScheduled || inFlight.length > 0) return;
        isScheduled = true;
        // After whatever else is asked in this turn.
        queueMicrotask(send);
      });
    },
    listen(to) {
      listener = to;
    },
    watch(on) {
      if (ended || isClosing || on === isWatching) return;
      isWatching = on;
      tell({ kind: "watch", on });
      keepAlive();
    },
    close() {
      if (isClosing || ended) return gone.promise;
      isClosing = true;
      keepAlive();
      closeWhenIdle();
      return gone.promise;
    },
  };
}
