import type { EventData, GateResult, Recorded, Usage } from "../domain/index.ts";
import type { CallRow } from "../store/index.ts";
import type { Attributes, Ended, Measurement, Span } from "./contract.ts";
import { spanIdOf, traceIdOf } from "../logs/index.ts";

type AttemptEnd = Extract<Recorded["event"], { type: "AttemptAccepted" | "AttemptRejected" | "AttemptFailed" | "AttemptInterrupted" }>;

interface OpenStep {
  startAt: number;
  /** How often it was begun: a step that is done again has another span. */
  round: number;
  kind: string | undefined;
  parent: string | undefined;
}

interface OpenAttempt {
  step: string;
  routedAt: number;
  startedAt?: number;
  tier: string;
  agent?: string;
  queuedMs?: number;
  credentials?: string;
}

const MOST_TEXT = 500;

/** Providers as the GenAI conventions call them, where that is not how our settings do. */
const WELL_KNOWN: Readonly<Partial<Record<string, string>>> = {
  gemini: "gcp.gemini",
  google: "gcp.gemini",
  vertex: "gcp.vertex_ai",
  bedrock: "aws.bedrock",
  azure: "azure.ai.openai",
  mistral: "mistral_ai",
  xai: "x_ai",
};

/**
 * Makes the trace of one run from its journal, event by event: run > step > attempt > gates and model calls. The same events always make the same
 * spans with the same ids, so an engine that takes a run up goes on with its trace. Pure: `calls` are those of the ledger.
 */
export class RunTrace {
  readonly #traceId: string;
  readonly #runId: string;
  readonly #mask: (text: string) => string;
  readonly #steps = new Map<string, OpenStep>();
  readonly #rounds = new Map<string, number>();
  readonly #known = new Map<string, { kind: string; parent: string | undefined }>();
  readonly #attempts = new Map<string, OpenAttempt>();
  #startedAt = 0;
  #run: Attributes = {};

  constructor(runId: string, mask: (text: string) => string) {
    this.#runId = runId;
    this.#traceId = traceIdOf(runId);
    this.#mask = mask;
  }

  /** `calls` answers the model calls of an attempt that has just ended. */
  take({ event, at }: Pick<Recorded, "event" | "at">, calls: (attempt: string) => readonly CallRow[]): Ended {
    const spans: Span[] = [];
    const measurements: Measurement[] = [];
    switch (event.type) {
      case "RunStarted": {
        const { pipeline, base, branch } = event.data;
        this.#startedAt = at;
        this.#run = {
          "gen_ai.operation.name": "invoke_workflow",
          "gen_ai.workflow.name": this.#text(pipeline.name),
          "gen_ai.conversation.id": this.#runId,
          "stepfall.run.id": this.#runId,
          "stepfall.base": base,
          "stepfall.branch": branch,
        };
        for (const step of pipeline.steps) this.#known.set(step.path, { kind: step.kind, parent: undefined });
        break;
      }
      case "StepExpanded":
        this.#open(event.data.step, at);
        for (const child of event.data.children) this.#known.set(child.path, { kind: child.kind, parent: event.data.step });
        break;
      case "StepResolved":
      case "InboxOpened":
        this.#open(event.data.step, at);
        break;
      case "AttemptRouted": {
        const { attempt, step, tier } = event.data;
        this.#open(step, at);
        this.#attempts.set(attempt, { step, tier, routedAt: at });
        break;
      }
      case "AttemptStarted": {
        const { attempt, agent, queuedMs, credentials } = event.data;
        const open = this.#attempts.get(attempt);
        if (!open) break;
        Object.assign(open, { startedAt: at, agent, queuedMs, ...(credentials ? { credentials } : {}) });
        measurements.push({
          name: "stepfall.attempt.queue_wait",
          value: queuedMs / 1000,
          attributes: { "stepfall.agent": agent, "stepfall.tier": open.tier },
        });
        break;
      }
      case "AttemptAccepted":
      case "AttemptRejected":
      case "AttemptFailed":
      case "AttemptInterrupted":
        this.#endAttempt(event, at, calls(event.data.attempt), { spans, measurements });
        break;
      case "MergeRefused": {
        const { attempt, gates } = event.data;
        this.#gates(attempt, gates, at, "merge", { spans, measurements });
        break;
      }
      case "StepCompleted":
      case "StepSkipped":
      case "StepCancelled":
      case "StepFailed":
        spans.push(this.#endStep(event, at));
        break;
      case "RunFinished":
        spans.push(this.#endRun(event.data, at));
        break;
      default:
        break;
    }
    return { spans, measurements };
  }

  #open(path: string, at: number): void {
    if (this.#steps.has(path)) return;
    const round = (this.#rounds.get(path) ?? 0) + 1;
    this.#rounds.set(path, round);
    this.#steps.set(path, { startAt: at, round, ...(this.#known.get(path) ?? { kind: undefined, parent: undefined }) });
  }

  #stepSpan(path: string): string {
    const round = this.#steps.get(path)?.round ?? Math.max(1, this.#rounds.get(path) ?? 1);
    return spanIdOf("step", `${this.#runId}/${path}${round > 1 ? `~${round}` : ""}`);
  }

  #endAttempt(
    { type, data }: AttemptEnd,
    at: number,
    calls: readonly CallRow[],
    out: { spans: Span[]; measurements: Measurement[] },
  ): void {
    const open = this.#attempts.get(data.attempt);
    this.#attempts.delete(data.attempt);
    const outcome = type === "AttemptFailed" ? `failed` : type.slice("Attempt".length).toLowerCase();
    const agent = open?.agent ?? "none";
    const of: Attributes = { "stepfall.agent": agent, "stepfall.tier": open?.tier ?? "none", "stepfall.outcome": outcome };
    const failure: Attributes = type === "AttemptFailed" ? { "error.type": data.kind } : {};
    out.measurements.push({ name: "stepfall.attempts", value: 1, attributes: { ...of, ...failure } });
    if (open?.startedAt !== undefined) {
      const byAgent: Attributes = { "gen_ai.agent.name": agent, "stepfall.tier": open.tier };
      const seconds = Math.max(0, at - open.startedAt) / 1000;
      out.measurements.push({ name: "gen_ai.invoke_agent.duration", value: seconds, attributes: { ...byAgent, ...failure } });
      // One whose calls nobody counts has made an unknown number of them, and not none.
      if (calls.length > 0)
        out.measurements.push({ name: "gen_ai.invoke_agent.inference_calls", value: calls.length, attributes: byAgent });
    }
    out.spans.push({
      traceId: this.#traceId,
      spanId: spanIdOf("attempt", data.attempt),
      parentSpanId: this.#stepSpan(data.step),
      name: `invoke_agent ${agent}`,
      kind: "internal",
      startAt: open?.startedAt ?? open?.routedAt ?? at,
      endAt: at,
      attributes: {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.agent.id": agent,
        "gen_ai.agent.name": agent,
        "gen_ai.conversation.id": this.#runId,
        "stepfall.attempt.id": data.attempt,
        ...of,
        ...failure,
        ...(open?.queuedMs === undefined ? {} : { "stepfall.queued_ms": open.queuedMs }),
        ...(open?.credentials === undefined ? {} : { "stepfall.credentials": open.credentials }),
        ...(data.usage ? usageOf(data.usage) : {}),
      },
      ...(type === "AttemptAccepted" ? {} : { error: this.#text(whyOf({ type, data } as AttemptEnd)) }),
    });
    if (type === "AttemptAccepted" || type === "AttemptRejected") this.#gates(data.attempt, data.gates, at, "attempt", out);
    for (const call of calls) this.#call(call, out);
  }

  /** The journal has how long each gate took, and not when it began: a gate's span is laid before the end of what it judged. */
  #gates(
    attempt: string,
    gates: readonly GateResult[],
    at: number,
    of: "attempt" | "merge",
    out: { spans: Span[]; measurements: Measurement[] },
  ): void {
    for (const [i, { name, kind, verdict, durationMs, microUsd }] of gates.entries()) {
      out.measurements.push({
        name: "stepfall.gate.verdicts",
        value: 1,
        attributes: { "stepfall.gate.kind": kind, "stepfall.gate.name": this.#text(name), "stepfall.verdict": verdict },
      });
      out.spans.push({
        traceId: this.#traceId,
        spanId: spanIdOf("gate", `${attempt}/${of}/${at}/${i}`),
        parentSpanId: spanIdOf("attempt", attempt),
        name: `gate ${this.#text(name)}`,
        kind: "internal",
        startAt: at - Math.max(0, durationMs),
        endAt: at,
        attributes: {
          "stepfall.gate.kind": kind,
          "stepfall.gate.name": this.#text(name),
          "stepfall.gate.of": of,
          "stepfall.verdict": verdict,
          "stepfall.start_is_estimated": true,
          ...(microUsd === undefined ? {} : { "stepfall.cost.micro_usd": microUsd }),
        },
        ...(verdict === "passed" ? {} : { error: verdict }),
      });
    }
  }

  #call(call: CallRow, out: { spans: Span[]; measurements: Measurement[] }): void {
    const { provider, model, agent, tier } = call;
    const of: Attributes = {
      "gen_ai.operation.name": "chat",
      "gen_ai.provider.name": WELL_KNOWN[provider] ?? provider,
      "gen_ai.request.model": model,
    };
    // Of a call that was never answered the ledger has what it may have used at most: no count of tokens.
    const isCounted = call.outcome === "ok" || call.provenance !== "unknown";
    const tokens = isCounted && call.inputTokens + call.outputTokens > 0;
    const failed: Attributes = call.outcome === "ok" ? {} : { "error.type": call.outcome };
    out.measurements.push(
      { name: "gen_ai.client.operation.duration", value: call.durationMs / 1000, attributes: { ...of, ...failed } },
      {
        name: "stepfall.cost",
        value: call.microUsd,
        attributes: { ...of, "stepfall.agent": agent, "stepfall.tier": tier, "stepfall.cost.provenance": call.provenance },
      },
    );
    if (tokens)
      out.measurements.push(
        { name: "gen_ai.client.token.usage", value: call.inputTokens, attributes: { ...of, "gen_ai.token.type": "input" } },
        { name: "gen_ai.client.token.usage", value: call.outputTokens, attributes: { ...of, "gen_ai.token.type": "output" } },
      );
    out.spans.push({
      traceId: this.#traceId,
      spanId: spanIdOf("call", call.callId),
      parentSpanId: spanIdOf("attempt", call.attempt),
      name: `chat ${model}`,
      kind: "client",
      startAt: call.at,
      endAt: call.at + call.durationMs,
      attributes: {
        ...of,
        ...failed,
        "gen_ai.conversation.id": this.#runId,
        ...(tokens ? tokensOf(call) : {}),
        "stepfall.provider": provider,
        "stepfall.cost.micro_usd": call.microUsd,
        "stepfall.cost.provenance": call.provenance,
        "stepfall.call.id": call.callId,
      },
      ...(call.outcome === "ok" ? {} : { error: call.outcome }),
    });
  }

  #endStep(
    { type, data }: Extract<Recorded["event"], { type: "StepCompleted" | "StepSkipped" | "StepCancelled" | "StepFailed" }>,
    at: number,
  ): Span {
    this.#open(data.step, at);
    const open = this.#steps.get(data.step);
    const spanId = this.#stepSpan(data.step);
    this.#steps.delete(data.step);
    return {
      traceId: this.#traceId,
      spanId,
      parentSpanId: open?.parent === undefined ? spanIdOf("run", this.#runId) : this.#stepSpan(open.parent),
      name: `step ${this.#text(data.step)}`,
      kind: "internal",
      startAt: open?.startAt ?? at,
      endAt: at,
      attributes: {
        "stepfall.step.path": this.#text(data.step),
        ...(open?.kind === undefined ? {} : { "stepfall.step.kind": open.kind }),
        "stepfall.outcome": type.slice("Step".length).toLowerCase(),
      },
      ...(type === "StepFailed" ? { error: this.#text(data.because) } : {}),
    };
  }

  #endRun({ outcome, because }: EventData<"RunFinished">, at: number): Span {
    return {
      traceId: this.#traceId,
      spanId: spanIdOf("run", this.#runId),
      name: `invoke_workflow ${String(this.#run["gen_ai.workflow.name"] ?? "run")}`,
      kind: "internal",
      startAt: this.#startedAt,
      endAt: at,
      attributes: { ...this.#run, "stepfall.outcome": outcome },
      ...(outcome === "succeeded" ? {} : { error: this.#text(because ?? outcome) }),
    };
  }

  #text(text: string): string {
    return this.#mask(text).slice(0, MOST_TEXT);
  }
}

function whyOf(event: AttemptEnd): string {
  switch (event.type) {
    case "AttemptAccepted":
      return "";
    case "AttemptRejected":
      return event.data.findings[0]?.message ?? "refused";
    case "AttemptFailed":
      return event.data.message;
    case "AttemptInterrupted":
      return event.data.because;
    default:
      return event satisfies never;
  }
}

/** The input counts with what of it was read from, and written into, a cache: as the conventions have it. */
const tokensOf = ({ inputTokens, cachedInputTokens, cacheWriteTokens, outputTokens }: CallRow): Attributes => ({
  "gen_ai.usage.input_tokens": inputTokens,
  "gen_ai.usage.cache_read.input_tokens": cachedInputTokens,
  ...(cacheWriteTokens === undefined ? {} : { "gen_ai.usage.cache_creation.input_tokens": cacheWriteTokens }),
  "gen_ai.usage.output_tokens": outputTokens,
});

/** An attempt's own sums. Its calls' spans hold the same again, each its part. */
const usageOf = (usage: Usage): Attributes => ({
  "gen_ai.usage.input_tokens": usage.inputTokens,
  "gen_ai.usage.cache_read.input_tokens": usage.cachedInputTokens,
  "gen_ai.usage.output_tokens": usage.outputTokens,
  "stepfall.calls": usage.calls,
  "stepfall.cost.micro_usd": usage.microUsd,
  "stepfall.cost.provenance": usage.provenance,
});
