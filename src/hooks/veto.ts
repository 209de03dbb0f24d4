import { setTimeout as sleep } from "node:timers/promises";
import { runStream, type Clock, type EventData } from "../domain/index.ts";
import type { Veto, VetoQuestion } from "../engine/index.ts";
import { callHook } from "./call.ts";
import type { Called, CallingWith, Hook, Seen } from "./contract.ts";
import { pauseBefore } from "./backoff.ts";
import { payloadOf } from "./payload.ts";

type Answer = EventData<"HookAnswered">;

/** Asks those hooks that may refuse, one after the other; the first refusal ends it. `undefined`: there are none. */
export function createVeto(all: readonly Hook[], world: CallingWith, clock: Clock): Veto | undefined {
  const hooks = all.filter((h) => h.veto);
  if (hooks.length === 0) return undefined;
  return async (question, signal) => {
    const answers: Answer[] = [];
    for (const hook of hooks) {
      if (signal.aborted) break;
      const answer = await ask(hook, question, { world, clock, signal });
      if (answer) answers.push(answer);
      if (answer?.verdict === "refused") break;
    }
    return signal.aborted ? [] : answers;
  };
}

async function ask(
  hook: Hook,
  { before, event, state, step, attempt }: VetoQuestion,
  { world, clock, signal }: { world: CallingWith; clock: Clock; signal: AbortSignal },
): Promise<Answer | undefined> {
  if (hook.on !== "*" && !hook.on.has(event.type)) return undefined;
  const recorded = { event, at: clock.now(), version: state.version + 1, stream: runStream(state.runId), actor: "engine" };
  const seen: Seen = { recorded, state };
  const of = { hook: hook.name, before, ...(step === undefined ? {} : { step }), ...(attempt === undefined ? {} : { attempt }) };
  const unanswered = (because: string): Answer => {
    const verdict = hook.veto?.onError === "allow" ? "allowed" : "refused";
    return { ...of, verdict, because, unanswered: true };
  };
  const match = hook.matches(seen);
  if (!match.ok) return unanswered(world.mask(`its filter cannot be computed: ${match.message}`));
  if (!match.holds) return undefined;
  const payload = payloadOf(hook.name, seen, world.mask);
  let called: Called = { kind: "failed", detail: "was not asked" };
  for (let tries = 0; tries <= hook.retries; tries += 1) {
    if (tries > 0) await sleep(pauseBefore({ backoffMs: hook.backoffMs, tries }), undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return undefined;
    called = await callHook({ callee: hook, payload, project: state.project, isAsked: true, signal }, world);
    if (called.kind !== "failed") break;
  }
  if (called.kind !== "answered") return unanswered(called.detail);
  // Half an answer is none: its other half may refuse.
  if (called.code === 0 && called.isCut) return unanswered("its answer is longer than 64 KB");
  const why = called.code === 0 ? vetoIn(called.body) : called.body.trim() || `exit code ${called.code}`;
  return why === undefined ? undefined : { ...of, verdict: "refused", because: why.slice(0, 2000) };
}

/** `{"veto": "why"}`, as the whole answer or as the last line of one; anything else, or nothing, refuses nothing. */
function vetoIn(body: string): string | undefined {
  const said = parsed(body) ?? parsed(body.trimEnd().split("\n").at(-1) ?? "");
  const why = said?.veto;
  if (why === undefined || why === null || why === false || why === "") return undefined;
  if (why === true) return "it gave no reason";
  return typeof why === "string" ? why : JSON.stringify(why);
}

function parsed(text: string): { veto?: unknown } | undefined {
  try {
    const said: unknown = JSON.parse(text);
    return typeof said === "object" && said !== null ? said : undefined;
  } catch {
    return undefined;
  }
}
