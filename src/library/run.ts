import { answerItem, type Answer } from "../engine/index.ts";
import { fold, runStream, type Clock, type Recorded, type RunEvent } from "../domain/index.ts";
import { StoreError, type InboxRow, type Store } from "../store/index.ts";
import { LibraryError } from "./errors.ts";
import type { RunResult } from "./result.ts";

/** Who answers, and what they add. */
export interface AnswerOptions {
  /** A name that the item's `who` holds. Default: the `as` of the Stepfall. */
  by?: string;
  text?: string;
}

/** What a run needs of the Stepfall that drives it. */
export interface RunAccess<O> {
  runId: string;
  /** A store of its own: what is asked for through it wakes the driver like a request of another process. */
  store: Store;
  clock: Clock;
  /** Who asks, by default. */
  as: string;
  /** The end of the driving, with what the run came to. */
  result: Promise<RunResult<O>>;
  /** Those who read events now. */
  readers: Set<Promise<void>>;
  /** Stops driving it here. */
  stop(): void;
}

/** A run that this process drives. */
export class Run<O = unknown> {
  readonly id: string;
  readonly #access: RunAccess<O>;

  constructor(access: RunAccess<O>) {
    this.id = access.runId;
    this.#access = access;
    // Told by `result`, whenever it is asked for.
    access.result.catch(() => undefined);
  }

  /** Every event from the first on, as it is in the journal. Ends with the run, or when this process stops driving it. */
  async *events(): AsyncGenerator<Recorded, void> {
    const { store, result, readers } = this.#access;
    const stream = runStream(this.id);
    const over = new AbortController();
    let seen = 0;
    let last = Number.POSITIVE_INFINITY;
    const ended = result
      .catch(() => undefined)
      .then(async () => {
        last = (await store.read(stream)).at(-1)?.version ?? 0;
        if (seen >= last) over.abort();
      })
      // The store was closed: nobody reads on.
      .catch(() => over.abort());
    const done = Promise.withResolvers<void>();
    readers.add(done.promise);
    try {
      for await (const event of store.follow(stream, { after: 0, signal: over.signal })) {
        seen = event.version;
        yield event;
        if (seen >= last || event.event.type === "RunFinished") return;
      }
    } finally {
      over.abort();
      readers.delete(done.promise);
      done.resolve();
      void ended;
    }
  }

  /** What it came to, once it is over or this process stops driving it. */
  result(): Promise<RunResult<O>> {
    return this.#access.result;
  }

  /** Ends it for good: running attempts are stopped, nothing new starts. What was merged stays on its branch. One that nobody drives ends when it is resumed. */
  async cancel(reason?: string): Promise<void> {
    const { store, clock, as } = this.#access;
    await request(store, clock, this.id, as, (isOver) =>
      isOver ? undefined : { type: "CancelRequested", data: reason === undefined ? {} : { reason } },
    );
  }

  /** Stops driving it here, at once; it can be resumed. */
  async stop(): Promise<void> {
    this.#access.stop();
    await this.#access.result.catch(() => undefined);
  }

  /** What waits for people in this run, oldest first. */
  inbox(): Promise<InboxRow[]> {
    return this.#access.store.listInbox({ runId: this.id });
  }

  approve(item: string, options?: AnswerOptions): Promise<void> {
    return this.#say(item, "approve", options);
  }
  reject(item: string, options?: AnswerOptions): Promise<void> {
    return this.#say(item, "reject", options);
  }
  /** Asks that the steps before an approval are done again; `text` says why. */
  rework(item: string, options?: AnswerOptions): Promise<void> {
    return this.#say(item, "rework", options);
  }
  answer(item: string, text: string, options?: AnswerOptions): Promise<void> {
    return this.#say(item, "answer", { ...options, text });
  }

  async #say(item: string, verdict: Answer["verdict"], { by, text }: AnswerOptions = {}): Promise<void> {
    const { store, clock, as } = this.#access;
    await answer(store, clock, { item, by: by ?? as, verdict, text });
  }
}

/** Records an answer, from whoever it is. */
export async function answer(store: Store, clock: Clock, said: Answer): Promise<void> {
  await answerItem(store, clock, said, `library:${said.by}`);
}

/** Appends what is asked for, however busy the run's stream is; `wanted` is asked again when the run went on meanwhile. */
export async function request(
  store: Store,
  clock: Clock,
  runId: string,
  as: string,
  wanted: (isOver: boolean) => RunEvent | undefined,
): Promise<void> {
  const stream = runStream(runId);
  for (;;) {
    const events = await store.read(stream);
    if (events.length === 0) throw new LibraryError("RUN_UNKNOWN", `there is no run ${runId}`, "Its id is `run.id`.");
    const state = fold(events);
    const event = wanted(state.status === "finished");
    if (!event) return;
    try {
      await store.commit({ appends: [{ stream, expected: state.version, events: [{ event, at: clock.now(), actor: `library:${as}` }] }] });
      return;
    } catch (error) {
      if (!(error instanceof StoreError && error.code === "STORE_CONFLICT")) throw error;
    }
  }
}
