import { setTimeout as sleep } from "node:timers/promises";
import { apiError, unknownKey } from "../answers.ts";
import type { Upstream } from "../contract.ts";
import { refuse, tryUpstream, type AgentCall, type ModelCallContext, type Tried } from "../one-try.ts";
import { isTooLong, type Choice } from "./health.ts";

/** How long a call is held at most where the breaker of every upstream is open. */
const breakerHoldMs = 15_000;

/**
 * Puts an agent's call to one upstream after the other until one answers. The next is tried only while the agent has heard nothing; a stream
 * that breaks off later ends with an error, and the agent's own retry then goes to another. A short wait for a limit, or for a breaker that
 * no other upstream makes up for, is spent here; a long one for a limit ends the call.
 */
export async function throughUpstreams(call: AgentCall, upstreams: readonly Upstream[], ctx: ModelCallContext): Promise<void> {
  const { key } = call;
  const { spec } = key;
  const over = AbortSignal.any([call.gone, key.over.signal]);
  const failed = new Set<Upstream>();
  const held = { quota: spec.quota?.holdMs ?? 0, breaker: breakerHoldMs };
  let last: Extract<Tried, { tell: unknown }> | undefined;
  while (!call.gone.aborted) {
    if (key.closed) return refuse(call, 401, unknownKey);
    const choice = ctx.health.choose({ spec, upstreams, failed, holdMs: held.quota });
    if (choice.kind === "none") return last?.tell();
    if (choice.kind === "wait") {
      // What failed just now is told at once: the agent may know better than to wait for a breaker.
      if (last?.kind === "failed" && choice.because === "breaker") return last.tell();
      const waitMs = Math.max(0, choice.until - ctx.clock.now());
      if (waitMs > held[choice.because]) return giveUp(call, choice, last, ctx);
      held[choice.because] -= waitMs;
      await sleep(waitMs, undefined, { signal: over }).catch(() => undefined);
      continue;
    }
    const { upstream, pass } = choice;
    let result: Tried | undefined;
    try {
      let isTold = false;
      const watch = {
        began: () => ctx.health.began(upstream, pass),
        broke: (why: string) => {
          if (!isTold) ctx.health.failed(spec, upstream, pass, why);
          isTold = true;
        },
      };
      result = await tryUpstream(call, upstream, watch, ctx);
    } finally {
      // An error of ours is none of the provider's.
      if (!result) ctx.health.released(upstream, pass);
    }
    switch (result.kind) {
      case "answered":
        return ctx.health.succeeded(spec, upstream, pass);
      case "over":
      case "refused":
        return ctx.health.released(upstream, pass);
      case "broke":
        return undefined;
      case "failed":
        ctx.health.failed(spec, upstream, pass, result.why);
        failed.add(upstream);
        break;
      case "limited": {
        // It answers; who may ask is another matter.
        ctx.health.succeeded(spec, upstream, pass);
        const { until } = result.limit;
        if (!spec.quota) return result.tell();
        if (until !== undefined) ctx.health.limited(spec, upstream, until);
        else if (spec.quota.onLimit !== "failover") return result.tell();
        else failed.add(upstream);
        break;
      }
      default:
        return result satisfies never;
    }
    last = result;
  }
}

/** Nothing can be asked for longer than a call is held. */
function giveUp(
  call: AgentCall,
  choice: Extract<Choice, { kind: "wait" }>,
  last: Extract<Tried, { tell: unknown }> | undefined,
  ctx: ModelCallContext,
): void {
  const { upstream, until, because } = choice;
  const { provider, model } = upstream;
  const { quota } = call.key.spec;
  const when = new Date(until).toISOString();
  if (because === "breaker") {
    const why = ctx.health.lastFailure(upstream);
    const sentence = `The provider ${provider} keeps failing and is asked again at ${when}.${why === "" ? "" : ` The last: ${why}`}`;
    ctx.calls.refuse(call.key, upstream, sentence);
    return refuse(call, 503, apiError("upstream_error", sentence, "provider_unavailable"));
  }
  if (!quota || quota.onLimit === "fail" || isTooLong(quota, until, ctx.clock.now())) {
    if (last) return last.tell();
    const sentence = `The provider ${provider} has met a limit (${model}) until ${when}.`;
    ctx.calls.refuse(call.key, upstream, sentence);
    return refuse(call, 429, apiError("rate_limit_exceeded", sentence, "rate_limit_exceeded"));
  }
  const sentence = `The quota of ${provider} (${model}) is used up until ${when}.`;
  ctx.calls.refuse(call.key, upstream, sentence, { provider, model, retryAt: until });
  // Not 429: an agent would ask again and again until then.
  return refuse(call, 402, apiError("quota_exhausted", sentence, "quota_exhausted"));
}
