import type { Activity } from "./activity.ts";
import { loopAtEnd, type Loop } from "./repetition.ts";
import type { Liveness, LivenessLimits } from "./seen.ts";
import { span, times } from "./span.ts";

/**
 * How an attempt is, by what was seen of it. The first of these that holds:
 *
 * - `dead`: its process is gone, or its pid belongs to another one.
 * - `unknown`: whoever owns the process has missed its beats and nothing else was heard meanwhile, though the process table says that it
 *   lives; or nobody owns it and the table did not answer for as long.
 * - `idle`, waiting for a person: that is never stuck.
 * - `stuck`, going in circles: the same tool call with the same result `repeats` times with no change of its files between, or two or three
 *   calls in turn as often.
 * - `running`: a model call in flight (one that hangs is the gateway's to end), or output, a tool call or processor time lately.
 * - `stuck`, silent: nothing of that for `silenceMs` of the time that somebody watched.
 * - `idle`: it lives and did nothing lately.
 */
export function liveness(activity: Activity, now: number, limits: LivenessLimits): Liveness {
  return (
    ended(activity) ??
    unheard(activity, now, limits) ??
    waiting(activity, now) ??
    circling(activity, now, limits) ??
    atWork(activity, now, limits) ??
    quiet(activity, now, limits)
  );
}

function ended({ process }: Activity): Liveness | undefined {
  if (!process || (process.found !== "gone" && process.found !== "replaced")) return undefined;
  const evidence = process.found === "gone" ? `process ${process.pid} is gone` : `pid ${process.pid} belongs to another process now`;
  return { state: "dead", since: process.at, evidence: [evidence] };
}

function unheard(a: Activity, now: number, limits: LivenessLimits): Liveness | undefined {
  const patienceMs = limits.beatMs * limits.missedBeats;
  const hasKeeper = a.lastBeatAt !== undefined;
  // Without a keeper the process table is what there is; without a process of its own (an A2A endpoint) there is nothing that could fall silent.
  if (!hasKeeper && !a.process) return undefined;
  const heardAt = hasKeeper ? a.lastHeardAt : Math.max(a.lastHeardAt, a.lastAliveAt ?? 0);
  if (now - heardAt <= patienceMs) return undefined;
  const table = !a.process
    ? "the process table was not asked"
    : a.process.found === "alive"
      ? `the process table says that process ${a.process.pid} lives`
      : `the process table cannot be read`;
  const silence = hasKeeper
    ? `no heartbeat for ${span(now - (a.lastBeatAt ?? heardAt))} (one is due every ${span(limits.beatMs)})`
    : `nothing was heard for ${span(now - heardAt)}`;
  return { state: "unknown", since: heardAt + patienceMs, evidence: [silence, table] };
}

function waiting(a: Activity, now: number): Liveness | undefined {
  const [first] = a.items;
  if (!first) return undefined;
  const [item, since] = first;
  const more = a.items.size > 1 ? `, and ${a.items.size - 1} more` : "";
  return { state: "idle", since, evidence: [`waits for a person for ${span(now - since)} (${item}${more})`] };
}

function circling(a: Activity, now: number, limits: LivenessLimits): Liveness | undefined {
  const loop = loopAtEnd(a.tokens, limits.repeats);
  if (!loop || loop.share < 1) return undefined;
  const evidence = [loopText(loop), ...(a.lastActionAt === undefined ? [] : [`the last of them ${span(now - a.lastActionAt)} ago`])];
  return { state: "stuck", since: a.lastActionAt ?? now, evidence };
}

/** `the same call 8 times in a row with the same result: run npm test`. */
export function loopText({ period, rounds, round }: Loop): string {
  const said = round.map((token) => {
    const [call = "", result] = token.split("\0");
    return { call, hasResult: result !== undefined };
  });
  const result = said.every((s) => s.hasResult) ? " with the same result" : "";
  const calls = said.map((s) => `\`${s.call}\``).join(", ");
  return period === 1
    ? `the same call ${times(rounds)} in a row${result}: ${calls}`
    : `the same ${period} calls in turn${result}, ${times(rounds)}: ${calls}`;
}

function atWork(a: Activity, now: number, limits: LivenessLimits): Liveness | undefined {
  const evidence: string[] = [];
  const oldest = Math.min(...a.calls.values());
  if (a.calls.size > 0) {
    const bytes = a.lastCallBytesAt !== undefined && a.lastCallBytesAt >= oldest ? `, last bytes ${span(now - a.lastCallBytesAt)} ago` : "";
    evidence.push(
      `${a.calls.size === 1 ? "a model call is" : `${a.calls.size} model calls are`} in flight for ${span(now - oldest)}${bytes}`,
    );
  }
  if (now - a.lastActiveAt < limits.activeMs) evidence.push(`${a.lastActivity} ${span(now - a.lastActiveAt)} ago`);
  return evidence.length === 0 ? undefined : { state: "running", since: a.runningSince, evidence };
}

function quiet(a: Activity, now: number, limits: LivenessLimits): Liveness {
  const silentMs = a.silentMs(now);
  const isStuck = silentMs >= limits.silenceMs;
  const evidence = [`nothing for ${span(silentMs)}: the last was ${a.lastActivity}`];
  if (a.lastBeatAt === undefined) evidence.push("its processor time is not measured");
  else if (a.cpuShare !== undefined) evidence.push(`it uses ${Math.round(a.cpuShare * 100)} % of a processor`);
  if (!isStuck) return { state: "idle", since: Math.min(now, a.lastActiveAt + limits.activeMs), evidence };
  evidence.push(`the limit is ${span(limits.silenceMs)}`);
  return { state: "stuck", since: now - (silentMs - limits.silenceMs), evidence };
}
