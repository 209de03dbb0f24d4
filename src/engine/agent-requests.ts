import {
  currentAttempt,
  runToolLimits,
  runTools,
  type RunEvent,
  type RunState,
  type RunToolInput,
  type WorkStep,
} from "../domain/index.ts";
import type { AgentReply, AgentRequest, RequestServer } from "../models/index.ts";
import type { EngineDeps } from "./contract.ts";
import type { PermissionDesk } from "./permissions.ts";
import type { RunLog } from "./run-log.ts";

/** Whose requests are answered. */
export interface Asker {
  step: WorkStep;
  attempt: string;
  agent: string;
  /** Aborts when the attempt is over, or somebody else's. */
  signal: AbortSignal;
  /** Its wait for a person is no silence of its own. */
  waiting<T>(what: string, answer: Promise<T>): Promise<T>;
}

/** A question that people are asked. */
interface Asking {
  answer: Promise<string | undefined>;
  isAnswered: boolean;
  /** Requests that wait for it, or for their answer to arrive. */
  open: number;
  /** Whether one of these answers arrived. */
  heard: PromiseWithResolvers<boolean>;
}

const says = (text: string): AgentReply => ({ text });
const refuses = (text: string): AgentReply => ({ text, isError: true });
const over = refuses("The attempt is over.");

/**
 * Answers what the agents of a run ask of it while they work: questions to people, reports, facts shared with other steps. What is recorded carries
 * the request's id: one that is handed on twice, since an engine died between its commit and its answer, is recorded once and answered again.
 */
export class AgentRequests {
  readonly #log: () => RunLog;
  readonly #desk: Pick<PermissionDesk, "question">;
  readonly #deps: Pick<EngineDeps, "mask" | "clock" | "onFeed">;
  /** Questions whose answer their agent has not heard yet, by attempt and words: the same asked again waits for the same answer. */
  readonly #asking = new Map<string, Asking>();
  /** One after the other: a fact is written on what is known of the one before. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(log: () => RunLog, desk: Pick<PermissionDesk, "question">, deps: Pick<EngineDeps, "mask" | "clock" | "onFeed">) {
    this.#log = log;
    this.#desk = desk;
    this.#deps = deps;
  }

  serve(asker: Asker): RequestServer {
    return {
      answer: async (request) => {
        try {
          const reply = await this.#answer(asker, request);
          return asker.signal.aborted ? undefined : reply;
        } catch {
          // The run is another engine's, or the store is gone: theirs to answer.
          return undefined;
        }
      },
      replied: (request, isHeard) => {
        if (request.tool === "ask") this.#replied(wordsOf(asker, request), isHeard);
      },
    };
  }

  async #answer(asker: Asker, request: AgentRequest): Promise<AgentReply | undefined> {
    if (!isRunning(this.#log().state, asker)) return over;
    switch (request.tool) {
      case "ask":
        return this.#ask(asker, request);
      case "report": {
        const input = runTools.report.input.safeParse(request.input);
        return input.success ? this.#inTurn(() => this.#report(asker, request.id, input.data)) : notUnderstood;
      }
      case "blackboard_get": {
        const input = runTools.blackboard_get.input.safeParse(request.input);
        return input.success ? this.#get(input.data) : notUnderstood;
      }
      case "blackboard_put": {
        const input = runTools.blackboard_put.input.safeParse(request.input);
        return input.success ? this.#inTurn(() => this.#put(asker, request.id, input.data)) : notUnderstood;
      }
      default:
        return request.tool satisfies never;
    }
  }

  async #ask(asker: Asker, request: AgentRequest): Promise<AgentReply | undefined> {
    const { step, attempt, waiting } = asker;
    const input = runTools.ask.input.safeParse(request.input);
    if (!input.success) return notUnderstood;
    const words = wordsOf(asker, request);
    let asking = this.#asking.get(words);
    // The answer is on its way to it: if it arrives, this is another question.
    if (asking?.isAnswered && (await asking.heard.promise)) asking = this.#asking.get(words);
    if (!asking) {
      const asked = [...this.#log().state.inbox.values()].filter((i) => i.attempt === attempt && i.request !== undefined);
      if (asked.length >= runToolLimits.questions && !asked.some((i) => i.request === request.id))
        return refuses(`You have asked ${asked.length} questions, which is all that an attempt may ask.`);
      const { question, choices = [] } = input.data;
      const [title = ""] = question.split("\n", 1);
      const detail = question.length > MOST_TITLE || title !== question ? question : undefined;
      const masked = choices.map((choice) => this.#deps.mask(choice));
      const answer = this.#desk.question(step, attempt, { title, detail, choices: masked, request: request.id }, asker.signal);
      asking = { answer, isAnswered: false, open: 0, heard: Promise.withResolvers() };
      this.#asking.set(words, asking);
    }
    if (asking.open === 0 && asking.isAnswered) asking.heard = Promise.withResolvers();
    asking.open += 1;
    const said = await waiting(`question ${words}`, asking.answer);
    asking.isAnswered = true;
    if (said !== undefined) return says(said);
    // The attempt is over, or another engine's: that one answers.
    this.#asking.delete(words);
    return undefined;
  }

  #replied(words: string, isHeard: boolean): void {
    const asking = this.#asking.get(words);
    if (!asking) return;
    asking.open -= 1;
    if (isHeard) this.#asking.delete(words);
    if (isHeard || asking.open === 0) asking.heard.resolve(isHeard);
  }

  async #report({ step, attempt, agent }: Asker, request: string, input: RunToolInput<"report">): Promise<AgentReply> {
    const { mask, clock, onFeed } = this.#deps;
    const a = runningAttempt(this.#log().state, step.path, attempt);
    if (!a) return over;
    const { reports = 0, ids } = a.requests ?? {};
    if (ids?.has(request)) return says("Told.");
    const now = clock.now();
    const text = mask(input.text);
    const tooSoon = a.report !== undefined && now - a.report.at < runToolLimits.reportEveryMs;
    if (tooSoon || reports >= runToolLimits.reports) {
      onFeed?.({ kind: "progress", at: now, attempt, step: step.path, text });
      const why = tooSoon ? "the one before is hardly a moment old" : `an attempt has ${runToolLimits.reports} reports at most`;
      return says(`Told to whoever watches just now, and not kept: ${why}.`);
    }
    const { percent, phase } = input;
    const more = { ...(percent === undefined ? {} : { percent }), ...(phase === undefined ? {} : { phase: mask(phase) }) };
    await this.#record({ type: "AgentReported", data: { attempt, step: step.path, request, text, ...more } }, attempt, agent);
    return says("Told.");
  }

  #get({ key, prefix = "" }: RunToolInput<"blackboard_get">): AgentReply {
    const { board } = this.#log().state;
    const found = [...board].filter(([name]) => (key === undefined ? name.startsWith(prefix) : name === key));
    const entries = found.map(([name, { value, version, step }]) => [name, { value, version, step }] as const);
    return says(JSON.stringify(Object.fromEntries(entries)));
  }

  async #put({ step, attempt, agent }: Asker, request: string, input: RunToolInput<"blackboard_put">): Promise<AgentReply> {
    const { mask } = this.#deps;
    const { state } = this.#log();
    const a = runningAttempt(state, step.path, attempt);
    if (!a) return over;
    const { key, expect } = input;
    const written = a.requests?.ids.get(request);
    if (written !== undefined) return says(JSON.stringify({ key, version: written }));
    if (input.value === undefined) return refuses("There is no value.");
    if (mask(key) !== key) return refuses("The key holds a secret.");
    const value = maskedValue(input.value, mask);
    const bytes = bytesOf(key, value);
    const before = state.board.get(key);
    const version = (before?.version ?? 0) + 1;
    if (expect !== undefined && expect !== version - 1) {
      const now = before ? `has version ${before.version}, and its value is ${JSON.stringify(before.value)}` : "is not there";
      return refuses(`Not written: ${key} ${now}.`);
    }
    const others = [...state.board].filter(([name]) => name !== key);
    const whole = others.reduce((sum, [name, entry]) => sum + bytesOf(name, entry.value), bytes);
    if (bytes > runToolLimits.valueBytes)
      return refuses(`Not written: it has ${bytes} bytes, and ${runToolLimits.valueBytes} is the most.`);
    if (others.length >= runToolLimits.keys || whole > runToolLimits.boardBytes)
      return refuses(
        `Not written: the blackboard is full (${others.length} other keys). Write to a key that is there, or something shorter.`,
      );
    if ((a.requests?.puts ?? 0) >= runToolLimits.puts)
      return refuses(`Not written: an attempt writes ${runToolLimits.puts} times at most.`);
    await this.#record({ type: "BlackboardPut", data: { attempt, step: step.path, request, key, value, version } }, attempt, agent);
    return says(JSON.stringify({ key, version }));
  }

  #record(event: RunEvent, attempt: string, agent: string): Promise<void> {
    return this.#log().submit({ events: [event], cause: attempt, actor: `agent:${agent}` });
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#last.then(work);
    this.#last = mine.catch(() => undefined);
    return mine;
  }
}

/** A title of the inbox is cut there. */
const MOST_TITLE = 300;

const notUnderstood = refuses("The input of this tool is not as its schema says.");

const wordsOf = ({ attempt }: Asker, { input }: AgentRequest): string => {
  const asked = runTools.ask.input.safeParse(input).data;
  return JSON.stringify([attempt, asked?.question, asked?.choices]);
};

function runningAttempt(state: RunState, path: string, attempt: string) {
  const s = state.steps.get(path);
  const a = s && currentAttempt(s);
  return a?.id === attempt && a.phase === "running" ? a : undefined;
}

const isRunning = (state: RunState, { step, attempt }: Asker): boolean => runningAttempt(state, step.path, attempt) !== undefined;

/** Every text in it masked, names of fields too. */
function maskedValue(value: unknown, mask: (text: string) => string): unknown {
  if (typeof value === "string") return mask(value);
  if (Array.isArray(value)) return value.map((part) => maskedValue(part, mask));
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [mask(name), maskedValue(part, mask)]));
}

/** Of an entry as JSON, with its key. */
const bytesOf = (key: string, value: unknown): number => Buffer.byteLength(key) + Buffer.byteLength(JSON.stringify(value));
