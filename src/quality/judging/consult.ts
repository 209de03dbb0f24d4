import type { Judge, JudgeAnswer, JudgingCost, JudgingOptions } from "./contract.ts";
import { JudgeError } from "./errors.ts";
import { repairUser } from "./prompts.ts";
import type { Reader } from "./read-answer.ts";
import { fenced, shortened } from "./untrusted.ts";

/**
 * What came of a question. `abstains`: its answers could not be used; `failed`: it could not be asked; `unasked`: the budget was over, or the
 * judging was stopped.
 */
export type Heard<T> = { kind: "answer"; value: T } | { kind: "abstains" | "failed" | "unasked"; problem: string };

const LEAST_FENCE = 8;
const REPAIR_SHOWN = 2_000;
const OUTPUT_TOKENS = 4_000;

export const defaultAgreement = 2 / 3;
export const defaultMaxChars = 60_000;

/** One judging: puts its questions, and keeps count of what they cost and of what ended it. */
export class Consultation {
  readonly #options: JudgingOptions;
  readonly #startedAt: number;
  #calls = 0;
  #microUsd = 0;
  #unpricedCalls = 0;
  #answers = 0;
  #budget: string | undefined;

  constructor(options: JudgingOptions) {
    const { fence, judges, stronger } = options;
    if (fence.trim().length < LEAST_FENCE || /\s/.test(fence))
      throw new JudgeError(
        "JUDGE_REQUEST",
        `a fence is a word of at least ${LEAST_FENCE} characters`,
        "Hand in a random one, such as a UUID.",
      );
    const ids = [...judges, ...(stronger ? [stronger] : [])].map((judge) => judge.id);
    const double = ids.find((id, at) => ids.indexOf(id) !== at);
    if (double !== undefined)
      throw new JudgeError(
        "JUDGE_REQUEST",
        `judge ${double} is named twice`,
        "Ask every judge once; its answers in both orders are asked for.",
      );
    this.#options = options;
    this.#startedAt = options.now();
  }

  /** What the budget said when it refused a question. */
  get budget(): string | undefined {
    return this.#budget;
  }

  get isAborted(): boolean {
    return this.#options.signal.aborted;
  }

  /** No question was answered in a way that could be used. */
  get isUnheard(): boolean {
    return this.#answers === 0;
  }

  get cost(): JudgingCost {
    return {
      calls: this.#calls,
      microUsd: this.#microUsd,
      unpricedCalls: this.#unpricedCalls,
      durationMs: Math.max(0, this.#options.now() - this.#startedAt),
    };
  }

  /** Asks, and once more when the answer cannot be used. Never rejects. */
  async hear<T>(judge: Judge, question: { system: string; user: string }, read: Reader<T>): Promise<Heard<T>> {
    const first = await this.#ask(judge, question);
    if (first.kind !== "answer") return first;
    const answer = readWhole(first.value, read);
    if (answer.ok) return this.#heard(answer.value);
    const shown = fenced({ label: "your answer", text: first.value.text.slice(0, REPAIR_SHOWN) }, this.#options.fence);
    const second = await this.#ask(judge, { ...question, user: repairUser(question.user, answer.problem, shown) });
    if (second.kind !== "answer") return second;
    const repaired = readWhole(second.value, read);
    if (repaired.ok) return this.#heard(repaired.value);
    return { kind: "abstains", problem: `its answer could not be used, twice: ${repaired.problem}` };
  }

  #heard<T>(value: T): Heard<T> {
    this.#answers += 1;
    return { kind: "answer", value };
  }

  async #ask(judge: Judge, { system, user }: { system: string; user: string }): Promise<Heard<JudgeAnswer>> {
    if (this.isAborted) return { kind: "unasked", problem: "stopped" };
    if (this.#budget !== undefined) return { kind: "unasked", problem: this.#budget };
    const { ask, signal, maxOutputTokens = OUTPUT_TOKENS } = this.#options;
    this.#calls += 1;
    try {
      const answer = await ask({ judge: judge.id, system, user, maxOutputTokens, signal });
      if (answer.microUsd === undefined) this.#unpricedCalls += 1;
      else this.#microUsd += answer.microUsd;
      return { kind: "answer", value: answer };
    } catch (error) {
      this.#unpricedCalls += 1;
      const message = error instanceof Error ? error.message : String(error);
      if (this.isAborted) return { kind: "unasked", problem: "stopped" };
      if (error instanceof JudgeError && error.code === "JUDGE_BUDGET") {
        this.#budget ??= message;
        return { kind: "unasked", problem: message };
      }
      return { kind: "failed", problem: `it could not be asked: ${shortened(message)}` };
    }
  }
}

const readWhole = <T>(answer: JudgeAnswer, read: Reader<T>): ReturnType<Reader<T>> =>
  answer.isCut ? { ok: false, problem: "it was cut at its output limit; be brief" } : read(answer.text);
