import { apply, emptyRun, runStream, type Clock, type Recorded, type RunState } from "../../domain/index.ts";
import { runFolder } from "../../engine/index.ts";
import type { LivenessItem } from "../../fleet/index.ts";
import { liveByRun, readable, Transcripts } from "../../control/index.ts";
import { driverOf } from "../../setup/find-run.ts";
import type { InboxRow, RunRow, Store } from "../../store/index.ts";

/** Lines of output that are kept of each step, and of a run. */
const KEPT_LINES = 200;
/** Runs that are looked at when none is named: the newest. */
const MOST_RUNS = 50;
/** Between two drivers, and before the first, nobody drives a run for a moment. */
const UNDRIVEN_MS = 3000;
const BILL_MS = 2000;
/** Of each transcript that was there before, what may still be asked for. */
const TAIL_BYTES = 256 * 1024;

/** A line that an agent, a gate or a command printed, as people read it. */
export interface ShownLine {
  at: number;
  step: string;
  n: number;
  text: string;
}

/** A run as it is seen from outside. */
export interface SeenRun {
  row: RunRow;
  /** Empty of a run that was over when it was first seen, and that nobody asked for. */
  state: RunState;
  /** Who drives it now. */
  driver: string | undefined;
  /** For long enough to say so nobody drives it, and it is not over. */
  isUndriven: boolean;
  /** How its attempts are, by step. */
  live: Map<string, LivenessItem>;
  lines: ShownLine[];
  lastLine: Map<string, string>;
  /** Micro-dollars of the calls that have ended, also of attempts that have not. */
  spent: number;
}

interface Looked extends SeenRun {
  transcripts: Transcripts;
  undrivenSince: number | undefined;
}

export interface LookoutOptions {
  store: Store;
  home: string;
  clock: Clock;
  only: string | undefined;
  /** Brings the ledger up to what the gateway has metered. */
  importBill: () => Promise<void>;
}

/** Looks at runs from outside: at their journals, leases and transcripts. Changes nothing. */
export class Lookout {
  /** Newest first. */
  runs: readonly SeenRun[] = [];
  /** What waits for people, in the runs that are looked at. */
  items: readonly InboxRow[] = [];
  readonly #store: Store;
  readonly #home: string;
  readonly #clock: Clock;
  readonly #only: string | undefined;
  readonly #importBill: () => Promise<void>;
  #billedAt = -Infinity;
  readonly #known = new Map<string, Looked>();
  #hasLooked = false;

  constructor({ store, home, clock, only, importBill }: LookoutOptions) {
    this.#store = store;
    this.#home = home;
    this.#clock = clock;
    this.#only = only;
    this.#importBill = importBill;
  }

  /**
   * Answers what was recorded since the last look: all of it, of the run that was named and of those that began meanwhile. What others had
   * recorded before the first look is in their state, and `isOld`.
   */
  async look(): Promise<{ run: SeenRun; events: Recorded[]; isOld: boolean }[]> {
    const now = this.#clock.now();
    const rows = await this.#store.runs(this.#only === undefined ? { limit: MOST_RUNS } : { runId: this.#only });
    const live = await liveByRun(this.#store, this.#home, now);
    const news: { run: SeenRun; events: Recorded[]; isOld: boolean }[] = [];
    const isOld = !this.#hasLooked && this.#only === undefined;
    this.#hasLooked = true;
    for (const row of rows) {
      const isFirst = !this.#known.has(row.runId);
      const run = this.#known.get(row.runId) ?? this.#meet(row);
      const wasOver = isFirst ? row.endedAt !== undefined && isOld : run.row.endedAt !== undefined;
      run.row = row;
      if (wasOver) continue;
      const driver = row.endedAt === undefined ? await driverOf(this.#store, row.runId, now) : undefined;
      // Read after it was asked who drives it: what was written until then is all there.
      const events = await this.#store.read(runStream(row.runId), { after: run.state.version });
      for (const e of events) apply(run.state, e);
      this.#drivenBy(run, driver?.holder);
      run.live = new Map((live.get(row.runId) ?? []).map((item) => [item.step, item]));
      await this.#readLines(run);
      if (events.length > 0) news.push({ run, events, isOld });
    }
    await this.#readBill();
    this.runs = rows.flatMap((row) => this.#known.get(row.runId) ?? []);
    const seen = new Set(rows.map((row) => row.runId));
    this.items = (await this.#store.listInbox(this.#only === undefined ? {} : { runId: this.#only })).filter((i) => seen.has(i.runId));
    return news;
  }

  #meet(row: RunRow): Looked {
    const run: Looked = {
      row,
      state: emptyRun(),
      driver: undefined,
      isUndriven: false,
      live: new Map(),
      lines: [],
      lastLine: new Map(),
      spent: 0,
      transcripts: new Transcripts(runFolder(this.#home, row.runId), row.runId, undefined, TAIL_BYTES),
      undrivenSince: undefined,
    };
    this.#known.set(row.runId, run);
    return run;
  }

  #drivenBy(run: Looked, holder: string | undefined): void {
    const isDriven = holder !== undefined || run.state.status === "finished";
    run.driver = holder;
    run.undrivenSince = isDriven ? undefined : (run.undrivenSince ?? performance.now());
    run.isUndriven = run.undrivenSince !== undefined && performance.now() - run.undrivenSince >= UNDRIVEN_MS;
  }

  /** What the gateway has metered of attempts that run; they tell it themselves only when they end. */
  async #readBill(): Promise<void> {
    if (performance.now() - this.#billedAt < BILL_MS) return;
    this.#billedAt = performance.now();
    await this.#importBill();
    for (const run of this.#known.values()) {
      if (run.row.endedAt !== undefined && run.state.status !== "running") continue;
      run.spent = (await this.#store.calls({ runId: run.row.runId })).reduce((sum, call) => sum + call.microUsd, 0);
    }
  }

  async #readLines(run: Looked): Promise<void> {
    for (const line of await run.transcripts.next())
      for (const text of readable(line).flatMap((t) => t.split(/\r?\n/))) {
        if (text.trim() === "") continue;
        run.lines.push({ at: line.at, step: line.step, n: line.n, text });
        run.lastLine.set(line.step, text);
      }
    // Of each step as many as may be asked for; steps that printed long ago fade first.
    if (run.lines.length > 10 * KEPT_LINES) run.lines.splice(0, run.lines.length - 5 * KEPT_LINES);
  }
}
