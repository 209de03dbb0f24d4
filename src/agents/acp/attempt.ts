import { setTimeout as sleep } from "node:timers/promises";
import type { AgentHandle, AttemptTask, ExecutionContext, ExecutionResult, Exit, ReportedTokens } from "../contract.ts";
import { exitFailure, failureInWords, requestFailure, stopFailure } from "./failure.ts";
import { connectAgent, type Link } from "./link.ts";
import { toldOnce } from "../told-once.ts";
import { answerPermission, notePermission, type AnsweredBefore } from "./permission.ts";
import { greet, openSession, ProtocolMismatch } from "./session.ts";
import { CANCEL_MS, type AcpExecutorOptions } from "./start.ts";
import { tokensOf } from "./tokens.ts";
import { Turn } from "./updates.ts";

const LATE_USAGE_MS = 1000;
/** How long the end of a process is waited for whose connection is gone. */
const EXIT_MS = 1000;

type Stop = "aborted" | "deadline";
/** The process ended before it answered; how, its exit tells. */
type Gone = { kind: "gone" };
const isGone = (said: ExecutionResult | Gone | Stop): said is Gone | Stop => typeof said === "string" || said.kind === "gone";

/** One attempt, from the process that was started to its end. */
export class Attempt {
  readonly #handle: AgentHandle;
  readonly #task: AttemptTask;
  readonly #context: ExecutionContext;
  readonly #tree: string;
  readonly #options: AcpExecutorOptions;
  readonly #link: Link;
  readonly #tell: (text: string) => void;
  #turn: Turn;
  readonly #answeredBefore: AnsweredBefore = new Map();
  #session: string | undefined;
  #canResume = false;
  #tokens: ReportedTokens | undefined;

  constructor(handle: AgentHandle, task: AttemptTask, context: ExecutionContext, tree: string, options: AcpExecutorOptions) {
    this.#handle = handle;
    this.#task = task;
    this.#context = context;
    this.#tree = tree;
    this.#options = options;
    this.#tell = toldOnce(handle, (text) => context.progress(text));
    // A session that is taken up may be told again from its beginning: that is not this attempt's doing.
    this.#turn = new Turn(tree, () => {});
    this.#link = connectAgent(handle, {
      update: (params) => this.#turn.update(params),
      permission: (params, signal) =>
        answerPermission(params, this.#turn, context, this.#answeredBefore, AbortSignal.any([signal, context.signal])),
      answered: (params) => notePermission(params, this.#turn, this.#answeredBefore),
    });
  }

  async run(): Promise<ExecutionResult> {
    const { signal, deadlineMs } = this.#context;
    const over = new AbortController();
    const exit = this.#handle.settle(over.signal);
    exit.catch(() => {}); // it may be known before it is asked for
    const stopping = Promise.withResolvers<Stop>();
    const abort = () => stopping.resolve("aborted");
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    const timer = setTimeout(() => stopping.resolve("deadline"), Math.min(deadlineMs, 2 ** 31 - 1));
    try {
      const talking = this.#talk();
      const first = await Promise.race([talking, stopping.promise]);
      const stop = typeof first === "string" ? first : undefined;
      if (stop) await this.#cancel(talking);
      // A write fails before the end of the process is seen, and it has an exit of its own to tell.
      else if (isGone(first)) await Promise.race([exit, sleep(EXIT_MS)]);
      over.abort();
      const end = await exit;
      await this.#link.ended;
      return { ...this.#result(stop, first, end), ...this.#told() };
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", abort);
      over.abort();
      await exit.catch(() => undefined);
      this.#link.connection.close();
    }
  }

  async #talk(): Promise<ExecutionResult | Gone> {
    const { agent, connection } = this.#link;
    try {
      const greeting = await greet(agent);
      const resumes = this.#options.preset.resumes === "no" ? "no" : greeting.resumes;
      this.#canResume = resumes !== "no";
      const opened = await openSession(agent, resumes, {
        cwd: this.#tree,
        resume: this.#task.resume,
        mode: this.#context.permit && (this.#task.step.permissions ?? "allow") !== "allow" ? "asks" : "allows",
        sessionModes: this.#options.preset.sessionModes,
        closed: connection.signal,
      });
      if (opened.notResumed !== undefined) this.#tell(`starts anew: ${opened.notResumed}`);
      this.#turn = new Turn(this.#tree, this.#tell);
      this.#session = opened.id;
      const prompt = [{ type: "text", text: this.#task.prompt }];
      const answer = await agent.request<{ stopReason?: unknown }>("session/prompt", { sessionId: opened.id, prompt });
      this.#tokens = tokensOf(answer, this.#options.preset.inputIncludesCached);
      await this.#lateUsage();
      const { message, hasSystemError } = this.#turn;
      return (
        stopFailure(String(answer?.stopReason), message) ?? failureInWords(message, hasSystemError) ?? { kind: "ended", summary: message }
      );
    } catch (error) {
      if (error instanceof ProtocolMismatch) return { kind: "failed", because: "setup", message: error.message };
      return connection.signal.aborted ? { kind: "gone" } : requestFailure(error);
    }
  }

  /** Asks it to stop, so that it says what it used and leaves its session in order. */
  async #cancel(talking: Promise<unknown>): Promise<void> {
    if (this.#session === undefined) return;
    const { agent } = this.#link;
    await agent.notify("session/cancel", { sessionId: this.#session }).catch(() => undefined);
    await Promise.race([talking, sleep(this.#options.cancelMs ?? CANCEL_MS)]);
  }

  async #lateUsage(): Promise<void> {
    if (!this.#options.preset.usageComesLate) return;
    for (let waited = 0; !this.#turn.cost && waited < LATE_USAGE_MS; waited += 25) await sleep(25);
    const { cost } = this.#turn;
    if (cost) this.#tell(`says that it cost ${cost.amount} ${cost.currency}`);
  }

  #result(stop: Stop | undefined, said: ExecutionResult | Gone | Stop, exit: Exit): ExecutionResult {
    const { deadlineMs } = this.#context;
    if (stop === "aborted") return { kind: "aborted" };
    if (stop === "deadline") return exitFailure({ ...exit, kind: "deadline" }, this.#link.noise, deadlineMs);
    if (!isGone(said) && exit.kind !== "flooded") return said;
    // It was us who ended a process that had closed its output.
    if (exit.kind === "aborted") return { kind: "failed", because: "crash", message: "the agent closed its output before it answered" };
    const ended = exitFailure(exit, this.#link.noise, deadlineMs);
    const isNoAcp = this.#session === undefined && this.#link.malformed() > 0;
    return ended.kind === "failed" && ended.because === "crash" && isNoAcp
      ? { ...ended, message: `${ended.message}\nIs it started with the option that makes it speak ACP?` }
      : ended;
  }

  #told(): { reported?: ReportedTokens; session?: string } {
    return {
      ...(this.#tokens ? { reported: this.#tokens } : {}),
      ...(this.#session !== undefined && this.#canResume ? { session: this.#session } : {}),
    };
  }
}
