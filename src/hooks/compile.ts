import { createHash } from "node:crypto";
import { named, nearest, type HookSettings, type NotifySettings } from "../config/index.ts";
import { eventSchemas } from "../domain/index.ts";
import { compileHookFilter } from "../pipeline/index.ts";
import type { Call, Hook } from "./contract.ts";
import { HooksError } from "./errors.ts";
import { filterScope } from "./payload.ts";

/** Hooks as they are matched and called. Throws HooksError for those that could never be what was meant. */
export function compileHooks(settings: readonly HookSettings[], notify: NotifySettings): Hook[] {
  return [...settings.map(compileHook), ...notifications(notify)];
}

function compileHook(hook: HookSettings): Hook {
  const { name, on, call, timeoutMs, retries, backoffMs, veto } = hook;
  const types = Object.keys(eventSchemas);
  for (const type of on) {
    if (type === "*" || types.includes(type)) continue;
    const near = nearest(type, types);
    const hint = near ? `Did you mean ${named(near)}?` : "docs/hooks.md lists them";
    throw new HooksError("HOOK_UNKNOWN_EVENT", `hook ${name}: there is no event ${named(type)}`, hint);
  }
  const filter = hook.if === undefined ? undefined : compileHookFilter(hook.if);
  if (filter && !filter.ok) throw new HooksError("HOOK_BAD_FILTER", `hook ${name}: \`if\`: ${filter.message}`, filter.hint);
  return {
    name,
    key: keyOf(hook),
    call,
    timeoutMs,
    retries,
    backoffMs,
    on: on.includes("*") ? "*" : new Set(on),
    matches: (seen) => (filter?.ok ? filter.filter(filterScope(seen)) : { ok: true, holds: true }),
    ...(veto ? { veto } : {}),
  };
}

const always = (): { ok: true; holds: boolean } => ({ ok: true, holds: true });

/** What waits for people, said once for each item. */
function notifications({ desktop, webhookSecret }: NotifySettings): Hook[] {
  const notification = (name: string, call: Call, retries: number): Hook => ({
    name,
    key: keyOf({ name, call }),
    call,
    timeoutMs: 15_000,
    retries,
    backoffMs: 1000,
    on: new Set(["InboxOpened"]),
    matches: always,
  });
  return [
    ...(desktop ? [notification("notify-desktop", { kind: "desktop" }, 0)] : []),
    ...(webhookSecret === undefined ? [] : [notification("notify-webhook", { kind: "slack", secret: webhookSecret }, 5)]),
  ];
}

const keyOf = (definition: unknown): string => createHash("sha256").update(JSON.stringify(definition)).digest("hex").slice(0, 12);
