import { statSync } from "node:fs";
import { isAlive, type AgentHandle, type AgentHost } from "../agents/index.ts";
import {
  familyUse,
  limitsFor,
  LivenessWatch,
  removeLive,
  similarTo,
  SpoolCalls,
  writeLive,
  type FinishedAttempt,
  type LivenessItem,
} from "../fleet/index.ts";
import type { AttemptWork } from "./attempt.ts";
import type { EngineDeps } from "./contract.ts";

/** Time between two looks at an attempt. */
const LOOK_MS = 3000;

/** One attempt while its agent runs. Feed it what happens; disposing ends the watch. */
export interface AttemptWatch extends Disposable {
  /** The same host, whose processes are seen. */
  seeing(host: AgentHost): AgentHost;
  progress(text: string): void;
  /** It waits for a person: that is no silence of its own. */
  waiting<T>(what: string, answer: Promise<T>): Promise<T>;
  /** A person lets it go on: it is stuck again only by what comes from now on. */
  beginAnew(): void;
}

interface Watched {
  watch: LivenessWatch;
  work: AttemptWork;
  handle: AgentHandle | undefined;
  onStuck: (item: LivenessItem) => void;
  wasStuck: boolean;
  /** Its process was gone at the last look. */
  wasGone: boolean;
}

/** Looks after every attempt whose agent runs in this engine: how it is, for live views, and that one which is stuck is not waited for. */
export class Watches implements Disposable {
  readonly #deps: EngineDeps;
  readonly #running = new Map<string, Watched>();
  #calls: SpoolCalls | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(deps: EngineDeps) {
    this.#deps = deps;
  }

  /** The spool from which model calls are told. What is in it already is nobody's that is watched. */
  readCalls(spool: string): void {
    this.#calls ??= new SpoolCalls(spool, statSync(spool, { throwIfNoEntry: false })?.size ?? 0);
  }

  begin(work: AttemptWork, finished: readonly FinishedAttempt[], onStuck: (item: LivenessItem) => void): AttemptWatch {
    const { attempt, step, agent, state } = work;
    const { clock } = this.#deps;
    const target = { attempt, pipeline: state.pipeline.name, step: step.path, kind: step.kind, agent };
    const watch = new LivenessWatch({
      attempt,
      step: step.path,
      startedAt: clock.now(),
      limits: limitsFor(step),
      peers: similarTo(target, finished),
    });
    const watched: Watched = { watch, work, handle: undefined, onStuck, wasStuck: false, wasGone: false };
    this.#running.set(attempt, watched);
    this.#timer ??= setInterval(() => this.#look(), LOOK_MS).unref();
    return {
      seeing: (host) => ({
        spawn: async (spec) => {
          const handle = await host.spawn(spec);
          watch.see({ kind: "started", at: clock.now() });
          // From its end on there is nothing to look at: what is done then is done by us.
          return (watched.handle = seen(handle, watch, () => (watched.handle = undefined)));
        },
        attach: (of, fromSeq) => host.attach(of, fromSeq),
        endLeftovers: (of) => host.endLeftovers(of),
      }),
      progress: (text) => watch.progress(text, clock.now()),
      waiting: async (item, answer) => {
        watch.see({ kind: "wait-began", at: clock.now(), item });
        try {
          return await answer;
        } finally {
          watch.see({ kind: "wait-ended", at: clock.now(), item });
        }
      },
      beginAnew: () => {
        watch.beginAnew();
        watched.wasStuck = false;
      },
      [Symbol.dispose]: () => {
        this.#running.delete(attempt);
        if (this.#running.size === 0) this.#rest();
        removeLive(this.#deps.home, attempt);
      },
    };
  }

  #look(): void {
    const now = this.#deps.clock.now();
    for (const { attempt, seen: call } of this.#calls?.look(now) ?? []) this.#running.get(attempt)?.watch.see(call);
    for (const watched of this.#running.values()) {
      this.#seeProcess(watched, now);
      const item = watched.watch.judge(now);
      this.#deps.onFeed?.(item);
      try {
        writeLive(this.#deps.home, item);
      } catch {
        // For the eyes of others only: the disk may be full.
      }
      const isStuck = item.state === "stuck";
      if (isStuck && !watched.wasStuck) watched.onStuck(item);
      watched.wasStuck = isStuck;
    }
  }

  #seeProcess(watched: Watched, now: number): void {
    const { watch, work, handle } = watched;
    if (!handle || handle.process.pid <= 1) return;
    const { pid } = handle.process;
    const use = familyUse(pid);
    const beat = this.#deps.keepers?.kept(work.attempt).at(-1)?.lastBeat;
    // A keeper's sign of life is its own; without a keeper this process is the one that owns it.
    const at = this.#deps.keepers ? beat?.at : now;
    if (at !== undefined) watch.see({ kind: "beat", at, ...(use ? { cpuMs: use.cpuMs, rssBytes: use.rssBytes } : {}) });
    const isGone = !isAlive(handle.process);
    // It may have ended a moment ago, and its executor be about to hear of it.
    if (!isGone || watched.wasGone) watch.see({ kind: "process", at: now, pid, found: isGone ? "gone" : "alive" });
    watched.wasGone = isGone;
  }

  #rest(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  [Symbol.dispose](): void {
    this.#rest();
  }
}

/** The same handle, whose lines are seen as its executor reads them. What is told again to an engine that took it up is old. */
function seen(handle: AgentHandle, watch: LivenessWatch, onEnd: () => void): AgentHandle {
  async function* lines(fromSeq?: number) {
    for await (const line of handle.lines(fromSeq)) {
      if (!handle.isReplaying?.()) watch.output(line);
      yield line;
    }
  }
  const isReplaying = handle.isReplaying?.bind(handle);
  return {
    process: handle.process,
    ...(handle.inputs ? { inputs: handle.inputs } : {}),
    ...(handle.caughtUpAt === undefined ? {} : { caughtUpAt: handle.caughtUpAt }),
    ...(isReplaying ? { isReplaying } : {}),
    lines,
    send: (text) => handle.send(text),
    signal: (signal) => handle.signal(signal),
    settle: (signal) => handle.settle(signal).finally(onEnd),
  };
}
