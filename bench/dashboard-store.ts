import { mkdirSync } from "node:fs";
import { appendFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { apply, emptyRun, runStream, type RunState } from "../src/domain/index.ts";
import { transcriptPath } from "../src/engine/index.ts";
import { openSqliteStore, type RunRow, type Store } from "../src/store/index.ts";
import type { MadeUpEvent } from "./dashboard-journal.ts";

/** Writes a made-up run into a real store, as an engine would: events and the run's row in one transaction. */
export class Player {
  readonly state: RunState = emptyRun();
  readonly #store: Store;
  readonly #events: Iterator<MadeUpEvent>;

  constructor(store: Store, events: Iterable<MadeUpEvent>) {
    this.#store = store;
    this.#events = events[Symbol.iterator]();
  }

  /** The version of the last event that is in the store. */
  get version(): number {
    return this.state.version;
  }

  /** Writes the next events in one transaction; answers how many there were. `now`: instead of the times they were made up with. */
  async write(count: number, now?: number): Promise<number> {
    const events: MadeUpEvent[] = [];
    const expected = this.state.version;
    while (events.length < count) {
      const next = this.#events.next();
      if (next.done) break;
      const { event, at } = { ...next.value, ...(now === undefined ? {} : { at: now }) };
      events.push({ event, at });
      apply(this.state, { event, at, version: this.state.version + 1 });
    }
    if (events.length === 0) return 0;
    const stream = runStream(this.state.runId);
    await this.#store.commit({
      appends: [{ stream, expected, events: events.map((e) => ({ ...e, actor: "engine" })) }],
      projections: [{ kind: "run", row: rowOf(this.state) }],
    });
    return events.length;
  }

  /** Writes at a steady rate until `signal` aborts or the run is over. Behind its time it writes several at once. Answers how many. */
  async play(perSecond: number, signal: AbortSignal): Promise<number> {
    const started = performance.now();
    let written = 0;
    while (!signal.aborted) {
      const due = Math.floor(((performance.now() - started) / 1000) * perSecond) - written;
      if (due > 0) {
        const count = await this.write(due, Date.now());
        written += count;
        if (count < due) break;
      }
      await sleep(1000 / perSecond, undefined, { signal }).catch(() => undefined);
    }
    return written;
  }
}

export const openStoreIn = (home: string): Promise<Store> => {
  mkdirSync(home, { recursive: true });
  return openSqliteStore({ file: join(home, "stepfall.db"), clock: { now: () => Date.now() } });
};

function rowOf(state: RunState): RunRow {
  const { runId, project, branch, base, startedAt, endedAt, steps } = state;
  let stepsDone = 0;
  for (const { status } of steps.values()) if (status === "completed") stepsDone += 1;
  return {
    runId,
    project,
    pipeline: state.pipeline.name,
    branch,
    base,
    status: state.outcome ?? "running",
    stepsTotal: steps.size,
    stepsDone,
    startedAt,
    ...(endedAt === undefined ? {} : { endedAt }),
  };
}

/** Appends lines to the transcript of an attempt's agent, as its keeper would. `from`: the sequence number of the first. */
export async function printLines(home: string, attempt: string, from: number, count: number): Promise<void> {
  const file = transcriptPath(home, attempt, "agent");
  mkdirSync(dirname(file), { recursive: true });
  let text = "";
  for (let seq = from; seq < from + count; seq++) {
    const stream = seq % 50 === 0 ? "stderr" : "stdout";
    text += `${JSON.stringify({ seq, at: Date.now(), stream, text: `line ${seq}: src/module-${seq % 97}.ts compiled in ${seq % 313} ms` })}\n`;
  }
  await appendFile(file, text);
}
