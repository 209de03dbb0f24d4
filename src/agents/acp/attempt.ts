import { setTimeout as sleep } from "node:timers/promises";
import type { AgentHandle, AgentMessage, AttemptTask, ExecutionContext, ExecutionResult, Exit, ReportedTokens } from "../contract.ts";
import { exitFailure, failureInWords, requestFailure, stopFailure } from "./failure.ts";
import { connectAgent, type Link } from "./link.ts";
import { toldOnce } from "../told-once.ts";
import { answerPermission, notePermission, type AnsweredBefore } from "./permission.ts";
import { greet, openSession, ProtocolMismatch } from "./session.ts";
import { CANCEL_MS, type AcpExecutorOptions } from "./start.ts";
import { sumOf, tokensOf } from "./tokens.ts";
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
  /** `hasMcp`: its settings name the tools of its run already. */
  readonly #options: AcpExecutorOptions & { hasMcp: boolean };
  readonly #link: Link;
  readonly #tell: (text: string) => void;
  #turn: Turn;
  readonly #answeredBefore: AnsweredBefore = new Map();
  #session: string | undefined;
  #canResume = false;
  #tokens: ReportedTokens | undefined;
  readonly #messages: AgentMessage[] = [];
  /** The message that the present turn is about, until the agent shows that it has it. */
  #unanswered: AgentMessage | undefined;
  #exit: Promise<void> = Promise.resolve();
  #exited = false;

  constructor(
    handle: AgentHandle,
    task: AttemptTask,
    context: ExecutionContext,
    tree: string,
    options: AcpExecutorOptions & { hasMcp: boolean },
  ) {
    this.#handle = handle;
    this.#task = task;
    this.#context = context;
    this.#tree = tree;
    this.#options = options;
    this.#tell = toldOnce(handle, (text) => context.progress(text));
    // A session that is taken up may be told again from its beginning: that is not this attempt's doing.
    this.#turn = new Turn(tree, () => {});
    this.#link = connectAgent(handle, {
      update: (params) => {
        this.#hasMessage();
        this.#turn.update(params);
      },
      permission: (params, signal) => {
        this.#hasMessage();
        return answerPermission(params, this.#turn, context, this.#answeredBefore, AbortSignal.any([signal, context.signal]));
      },
      answered: (params) => notePermission(params, this.#turn, this.#answeredBefore),
    });
  }

  async run(): Promise<ExecutionResult> {
    const { signal, deadlineMs } = this.#context;
    const over = new AbortController();
    const exit = this.#handle.settle(over.signal);
    const gone = (): void => void (this.#exited = true);
    this.#exit = exit.then(gone, gone); // it may be known before it is asked for
    const stopping = Promise.withResolvers<Stop>();
    const abort = () => stopping.resolve("aborted");
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    const timer = setTimeout(() => stopping.resolve("deadline"), Math.min(deadlineMs, 2 ** 31 - 1));
    using _messages = this.#context.messages?.follow((message) => void this.#messages.push(message));
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
        mcp: greeting.takesMcp && !this.#options.hasMcp ? this.#context.mcp?.url : undefined,
        closed: connection.signal,
      });
      if (opened.notResumed !== undefined) this.#tell(`starts anew: ${opened.notResumed}`);
      this.#session = opened.id;
      let said = await this.#prompt(opened.id, this.#task.prompt);
      // One turn for each, in order: whoever takes the attempt up makes the same turns of the same messages.
      for (let next = this.#messages.shift(); next && said.kind === "ended"; next = this.#messages.shift()) {
        const before = said;
        said = await this.#say(opened.id, next, before);
        if (said === before) break;
      }
      return said;
    } catch (error) {
      if (error instanceof ProtocolMismatch) return { kind: "failed", because: "setup", message: error.message };
      return connection.signal.aborted ? { kind: "gone" } : requestFailure(error);
    }
  }

  async #prompt(sessionId: string, text: string): Promise<ExecutionResult> {
    this.#turn = new Turn(this.#tree, this.#tell);
    const prompt = [{ type: "text", text }];
    const answer = await this.#link.agent.request<{ stopReason?: unknown }>("session/prompt", { sessionId, prompt });
    this.#hasMessage();
    this.#tokens = sumOf(this.#tokens, tokensOf(answer, this.#options.preset.inputIncludesCached));
    await this.#lateUsage();
    const { message, hasSystemError } = this.#turn;
    return (
      stopFailure(String(answer?.stopReason), message) ?? failureInWords(message, hasSystemError) ?? { kind: "ended", summary: message }
    );
  }

  /** A turn about what a person says. One that was leaving when it was spoken to has not heard it: what it had done before stands. */
  async #say(sessionId: string, message: AgentMessage, before: ExecutionResult): Promise<ExecutionResult> {
    this.#unanswered = message;
    try {
      return await this.#prompt(sessionId, `${message.by}, who follows your work, says:\n${message.text}`);
    } catch (error) {
      if (!this.#unanswered) throw error;
      // A write fails before the end of the process is seen.
      await Promise.race([this.#exit, sleep(EXIT_MS)]);
      if (this.#exited || this.#link.connection.signal.aborted) return before;
      this.#hasMessage();
      throw error;
    }
  }

  /** It shows that it works on the message. */
  #hasMessage(): void {
    const message = this.#unanswered;
    if (!message) return;
    this.#unanswered = undefined;
    this.#context.messages?.delivered(message.n);
    this.#tell(`is told by ${message.by}: ${message.text}`);
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
