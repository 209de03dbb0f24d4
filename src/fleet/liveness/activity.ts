import type { Token } from "./repetition.ts";
import type { Action, LivenessLimits, ProcessFound, Seen } from "./seen.ts";

/** Calls that are remembered: enough for the longest loop that matters, and for what the risk is computed from. */
const MOST_ACTIONS = 64;
/** Pauses that are remembered, to know what is usual for this attempt. */
const MOST_PAUSES = 128;
/** Model calls in flight at once that are told apart; beyond it the oldest is forgotten. */
const MOST_CALLS = 64;
const MOST_ITEMS = 64;
/** Lines that follow each other faster than this are one burst. */
const BURST_MS = 1000;

/** What is known of one running attempt. Bounded, however long it runs; no clock of its own. */
export class Activity {
  readonly startedAt: number;
  readonly #limits: Pick<LivenessLimits, "activeMs" | "gapMs" | "cpuShare">;
  readonly #calls = new Map<string, number>();
  readonly #items = new Map<string, number>();
  #tokens: Token[] = [];
  #pauses: number[] = [];
  #lastWatched: number;
  #beatBefore: { at: number; cpuMs: number } | undefined;
  #busyBeats = 0;
  /** Last output, call, action or processor time: what counts as activity. */
  lastActiveAt: number;
  lastActivity = "it was started";
  /** When the activity began that has not paused since. */
  runningSince: number;
  /** Of the time since the last activity, what nobody watched. */
  unwatchedMs = 0;
  lastOutputAt: number | undefined;
  lastCallBytesAt: number | undefined;
  /** Any sign of life: also beats without work. */
  lastHeardAt: number;
  lastBeatAt: number | undefined;
  /** Share of one processor between the last two beats. */
  cpuShare: number | undefined;
  rssBytes: number | undefined;
  process: { at: number; found: ProcessFound; pid: number } | undefined;
  /** When it was last seen alive in the process table. */
  lastAliveAt: number | undefined;
  actions = 0;
  endedCalls = 0;
  tokensUsed = 0;
  microUsd = 0;
  /** When the last of `tokens` was called. */
  lastActionAt: number | undefined;

  constructor(startedAt: number, limits: Pick<LivenessLimits, "activeMs" | "gapMs" | "cpuShare">) {
    this.startedAt = startedAt;
    this.#limits = limits;
    this.#lastWatched = startedAt;
    this.lastActiveAt = startedAt;
    this.runningSince = startedAt;
    this.lastHeardAt = startedAt;
  }

  /** Model calls in flight, with their start. */
  get calls(): ReadonlyMap<string, number> {
    return this.#calls;
  }
  /** What it waits for that only people can give, with since when. */
  get items(): ReadonlyMap<string, number> {
    return this.#items;
  }
  /** Its latest calls, oldest first. */
  get tokens(): readonly Token[] {
    return this.#tokens;
  }
  /** Its own pauses between one activity and the next, oldest first, ms. */
  get pauses(): readonly number[] {
    return this.#pauses;
  }
  /** How long nothing was done, as far as somebody watched. Nothing is silent that waits for its model or for a person. */
  silentMs(now: number): number {
    if (this.#calls.size > 0 || this.#items.size > 0) return 0;
    const unwatched = this.unwatchedMs + this.#gapBefore(now);
    return Math.max(0, now - this.lastActiveAt - unwatched);
  }

  see(seen: Seen): void {
    this.#watch(seen.at);
    switch (seen.kind) {
      case "started":
        this.#active(seen.at, "the start of its process");
        return;
      case "output":
        this.lastOutputAt = latest(this.lastOutputAt, seen.at);
        this.#active(seen.at, "output");
        return;
      case "action":
        this.#act(seen, seen.at);
        return;
      case "change":
        this.#push(undefined);
        this.#active(seen.at, "a change of its files");
        return;
      case "call-started":
        bounded(this.#calls, MOST_CALLS).set(seen.call, seen.at);
        this.#active(seen.at, "the start of a model call");
        return;
      case "call-bytes":
        this.lastCallBytesAt = latest(this.lastCallBytesAt, seen.at);
        this.#active(seen.at, "an answer of its model");
        return;
      case "call-ended":
        this.#calls.delete(seen.call);
        this.endedCalls += 1;
        this.tokensUsed += Math.max(0, seen.tokens ?? 0);
        this.microUsd += Math.max(0, seen.microUsd ?? 0);
        this.#active(seen.at, "the end of a model call");
        return;
      case "wait-began":
        bounded(this.#items, MOST_ITEMS).set(seen.item, seen.at);
        this.#heard(seen.at);
        return;
      case "wait-ended":
        // The time it waited is no silence of its own.
        if (this.#items.delete(seen.item)) this.#active(seen.at, "an answer of a person");
        return;
      case "beat":
        this.#beat(seen);
        return;
      case "process":
        this.process = { at: seen.at, found: seen.found, pid: seen.pid };
        if (seen.found === "alive") this.lastAliveAt = latest(this.lastAliveAt, seen.at);
        return;
      case "look":
        return;
      default:
        seen satisfies never;
    }
  }

  /** What the last call of this signature came to, where that is told apart from the call. */
  lastFailed(signature: string, result: string): boolean {
    if (this.#tokens.at(-1) !== token({ signature })) return false;
    this.#tokens[this.#tokens.length - 1] = token({ signature, result });
    return true;
  }

  /** Forgets the calls so far: a better source tells of them from now on. */
  forgetActions(): void {
    this.#tokens = [];
  }

  #act(action: Action, at: number): void {
    this.actions += 1;
    this.lastActionAt = at;
    this.#push(token(action));
    if (action.isOpaqueChange) this.#push(undefined);
    this.#active(at, `the call \`${action.signature}\``);
  }

  #push(next: Token): void {
    if (next === undefined && this.#tokens.at(-1) === undefined) return;
    this.#tokens.push(next);
    if (this.#tokens.length > MOST_ACTIONS) this.#tokens = this.#tokens.slice(-MOST_ACTIONS);
  }

  #beat({ at, cpuMs, rssBytes }: Extract<Seen, { kind: "beat" }>): void {
    this.lastBeatAt = latest(this.lastBeatAt, at);
    this.rssBytes = rssBytes;
    this.#heard(at);
    if (cpuMs === undefined) return;
    const before = this.#beatBefore;
    if (!before || at > before.at) this.#beatBefore = { at, cpuMs };
    if (!before || at <= before.at) return;
    // The sum falls when one of the processes ends: what the others used meanwhile is not known then.
    if (cpuMs < before.cpuMs) return;
    this.cpuShare = (cpuMs - before.cpuMs) / (at - before.at);
    this.#busyBeats = this.cpuShare >= this.#limits.cpuShare ? this.#busyBeats + 1 : 0;
    // One busy beat may be the rubbish collection of an idle process.
    if (this.#busyBeats >= 2) this.#active(at, `processor time (${Math.round(this.cpuShare * 100)} % of one processor)`);
  }

  #active(at: number, what: string): void {
    this.#heard(at);
    if (at < this.lastActiveAt) return;
    const pause = at - this.lastActiveAt - this.unwatchedMs;
    if (pause >= BURST_MS) {
      this.#pauses.push(pause);
      if (this.#pauses.length > MOST_PAUSES) this.#pauses.shift();
    }
    if (pause >= this.#limits.activeMs) this.runningSince = at;
    this.lastActiveAt = at;
    this.lastActivity = what;
    this.unwatchedMs = 0;
  }

  #heard(at: number): void {
    this.lastHeardAt = Math.max(this.lastHeardAt, at);
  }

  #watch(at: number): void {
    this.unwatchedMs += this.#gapBefore(at);
    this.#lastWatched = Math.max(this.#lastWatched, at);
  }

  #gapBefore(at: number): number {
    return Math.max(0, at - this.#lastWatched - this.#limits.gapMs);
  }
}

const token = ({ signature, result }: Action): string => (result === undefined ? signature : `${signature}\0${result}`);
const latest = (before: number | undefined, at: number): number => Math.max(before ?? at, at);

/** Room for one more: the oldest goes. */
function bounded<V>(map: Map<string, V>, most: number): Map<string, V> {
  const [oldest] = map.keys();
  if (map.size >= most && oldest !== undefined) map.delete(oldest);
  return map;
}
