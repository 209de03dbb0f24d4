/**
 * The circuit breaker of one provider: a state machine with the time handed in. No library's: theirs wrap a function and read the clock
 * themselves, and here it is known only minutes after a call was let through how it went, its answer being a stream.
 *
 * - `closed`: calls go through. Too many failures, in a row or as a part of the last minute's, open it.
 * - `open`: none goes through before `openMs` are over; each time it opens again without having closed, for twice as long.
 * - `half-open`: one call goes through as a probe. It closes the breaker as soon as an answer begins, and opens it again when it fails.
 */
export interface BreakerRule {
  /** Failures in a row that open it. */
  inRow: number;
  /** Or this part of the calls that ended within `windowMs`, where they are at least `least`. */
  part: number;
  least: number;
  windowMs: number;
  openMs: number;
  longestMs: number;
}

export const breakerRule: BreakerRule = { inRow: 3, part: 0.5, least: 10, windowMs: 60_000, openMs: 5_000, longestMs: 120_000 };

export type BreakerState = "closed" | "open" | "half-open";

/** A call that was let through. Of one from before the breaker last changed nothing is learnt. */
export interface Pass {
  readonly isProbe: boolean;
  readonly era: number;
}

/** `wait`: not before `until`, epoch ms; ask again then. */
export type Admission = { kind: "pass"; pass: Pass } | { kind: "wait"; until: number };

/** How often to ask while a probe is under way. */
const lookAgainMs = 250;

export class Breaker {
  readonly #rule: BreakerRule;
  #state: BreakerState = "closed";
  /** Counts changes of the state. */
  #era = 0;
  #inRow = 0;
  /** How often it opened since it was last closed for good. */
  #openings = 0;
  #until = 0;
  #isProbing = false;
  #ended: { at: number; isFailure: boolean }[] = [];

  constructor(rule: BreakerRule = breakerRule) {
    this.#rule = rule;
  }

  get state(): BreakerState {
    return this.#state;
  }

  /** Until when it is open. */
  get until(): number {
    return this.#until;
  }

  get failuresInRow(): number {
    return this.#inRow;
  }

  admit(now: number): Admission {
    if (this.#state === "open" && now >= this.#until) this.#become("half-open");
    switch (this.#state) {
      case "closed":
        return { kind: "pass", pass: { isProbe: false, era: this.#era } };
      case "open":
        return { kind: "wait", until: this.#until };
      case "half-open":
        if (this.#isProbing) return { kind: "wait", until: now + lookAgainMs };
        this.#isProbing = true;
        return { kind: "pass", pass: { isProbe: true, era: this.#era } };
      default:
        return this.#state satisfies never;
    }
  }

  /** Its answer has begun. A probe has shown enough by that; the next failure opens the breaker again all the same. */
  began(pass: Pass): void {
    if (!pass.isProbe || pass.era !== this.#era) return;
    this.#become("closed");
    this.#inRow = this.#rule.inRow - 1;
  }

  succeeded(pass: Pass, now: number): void {
    this.began(pass);
    if (!this.#isCurrent(pass)) return;
    this.#inRow = 0;
    this.#openings = 0;
    this.#note(now, false);
  }

  failed(pass: Pass, now: number): void {
    if (!this.#isCurrent(pass)) return;
    this.#inRow += 1;
    this.#note(now, true);
    const failures = this.#ended.filter((call) => call.isFailure).length;
    const isTooMuch = this.#ended.length >= this.#rule.least && failures >= this.#ended.length * this.#rule.part;
    if (this.#state === "half-open" || this.#inRow >= this.#rule.inRow || isTooMuch) this.#open(now);
  }

  /** It ended in a way that says nothing of the provider: the agent went away. */
  released(pass: Pass): void {
    if (this.#isCurrent(pass) && pass.isProbe) this.#isProbing = false;
  }

  #open(now: number): void {
    const { openMs, longestMs } = this.#rule;
    this.#until = now + Math.min(openMs * 2 ** Math.min(this.#openings, 20), longestMs);
    this.#openings += 1;
    this.#become("open");
  }

  #become(state: BreakerState): void {
    this.#state = state;
    this.#era += 1;
    this.#isProbing = false;
    if (state !== "half-open") this.#ended = [];
  }

  /** The probe that closed the breaker is of the era before: its stream may still break off. */
  #isCurrent(pass: Pass): boolean {
    return pass.era === this.#era || (pass.isProbe && this.#state === "closed" && pass.era === this.#era - 1);
  }

  #note(now: number, isFailure: boolean): void {
    this.#ended.push({ at: now, isFailure });
    while ((this.#ended[0]?.at ?? now) < now - this.#rule.windowMs || this.#ended.length > 1_000) this.#ended.shift();
  }
}
