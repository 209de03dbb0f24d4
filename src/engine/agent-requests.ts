import { runToolLimits, runTools, type RunEvent, type RunToolInput } from "../domain/index.ts";
import type { AgentReply, AgentRequest, RequestServer } from "../models/index.ts";
import { StoreError } from "../store/index.ts";
import { readBoard, writeToBoard } from "./agent-board.ts";
import { AgentQuestions } from "./agent-questions.ts";
import { attemptOf, notUnderstood, over, refuses, says, type Asker } from "./agent-reply.ts";
import type { EngineDeps } from "./contract.ts";
import { EngineError } from "./errors.ts";
import type { PermissionDesk } from "./permissions.ts";
import type { RunLog } from "./run-log.ts";

/**
 * Answers what the agents of a run ask of it while they work: questions to people, reports, facts shared with other steps. What is recorded carries
 * the request's id: one that is handed on twice, since an engine died between its commit and its answer, is recorded once and answered again.
 */
export class AgentRequests {
  readonly #log: () => RunLog;
  readonly #deps: Pick<EngineDeps, "mask" | "clock" | "onFeed">;
  readonly #questions: AgentQuestions;
  /** One after the other: a fact is written on what is known of the one before. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(log: () => RunLog, desk: Pick<PermissionDesk, "question">, deps: Pick<EngineDeps, "mask" | "clock" | "onFeed">) {
    this.#log = log;
    this.#deps = deps;
    this.#questions = new AgentQuestions(log, desk, deps.mask);
  }

  serve(asker: Asker): RequestServer {
    return {
      answer: async (request) => {
        try {
          const reply = await this.#answer(asker, request);
          return asker.signal.aborted ? undefined : reply;
        } catch (error) {
          // The run is another engine's, or the store is gone: theirs to answer.
          if (error instanceof StoreError || error instanceof EngineError) return undefined;
          // Nobody else would do better, and an agent that hears nothing waits until its time is up.
          return refuses("Stepfall failed at this request. Go on without it.");
        }
      },
      replied: (request, isHeard) => {
        if (request.tool === "ask") this.#questions.replied(asker, request, isHeard);
      },
    };
  }

  async #answer(asker: Asker, request: AgentRequest): Promise<AgentReply | undefined> {
    const { state } = this.#log();
    if (!attemptOf(state, asker)) return over;
    switch (request.tool) {
      case "ask":
        return this.#questions.ask(asker, request);
      case "report": {
        const input = runTools.report.input.safeParse(request.input);
        return input.success ? this.#inTurn(() => this.#report(asker, request.id, input.data)) : notUnderstood;
      }
      case "blackboard_get": {
        const input = runTools.blackboard_get.input.safeParse(request.input);
        return input.success ? readBoard(state, input.data) : notUnderstood;
      }
      case "blackboard_put": {
        const input = runTools.blackboard_put.input.safeParse(request.input);
        return input.success ? this.#inTurn(() => this.#put(asker, request.id, input.data)) : notUnderstood;
      }
      default:
        return request.tool satisfies never;
    }
  }

  async #report(asker: Asker, request: string, input: RunToolInput<"report">): Promise<AgentReply> {
    const { mask, clock, onFeed } = this.#deps;
    const { step, attempt } = asker;
    const a = attemptOf(this.#log().state, asker);
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
    await this.#record({ type: "AgentReported", data: { attempt, step: step.path, request, text, ...more } }, asker);
    return says("Told.");
  }

  async #put(asker: Asker, request: string, input: RunToolInput<"blackboard_put">): Promise<AgentReply> {
    const { reply, put } = writeToBoard(this.#log().state, asker, request, input, this.#deps.mask);
    if (put) await this.#record({ type: "BlackboardPut", data: put }, asker);
    return reply;
  }

  #record(event: RunEvent, { attempt, agent }: Asker): Promise<void> {
    return this.#log().submit({ events: [event], cause: attempt, actor: `agent:${agent}` });
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#last.then(work);
    this.#last = mine.catch(() => undefined);
    return mine;
  }
}
