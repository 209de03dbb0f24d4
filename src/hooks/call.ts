import { existsSync } from "node:fs";
import { SECRET_PLACE } from "../config/index.ts";
import type { Callee, Called, CallingWith, Payload } from "./contract.ts";
import { desktopArgv, noticeOf, slackBody, type Notice } from "./notice.ts";
import { post } from "./post.ts";
import { runProgram } from "./run-program.ts";

export interface CallTarget {
  callee: Callee;
  payload: Payload;
  /** Where a command runs; when it is not there any more, in the home. */
  project?: string | undefined;
  /** It is asked, not told: what it answers counts. */
  isAsked?: boolean;
  signal: AbortSignal;
}

/** One try. Never throws. */
export async function callHook({ callee, payload, project, isAsked = false, signal }: CallTarget, world: CallingWith): Promise<Called> {
  const { call, timeoutMs } = callee;
  const until = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
  const timedOut = `gave no answer within ${timeoutMs} ms`;
  const notice = (): Notice => noticeOf(payload, { program: world.program, dashboard: world.dashboard?.() });
  switch (call.kind) {
    case "command": {
      const secrets = secretsNamed(call.secrets, world);
      if (!secrets.ok) return unable(secrets.missing);
      const { event, run } = payload;
      const about = { STEPFALL_EVENT: event.type, ...(run ? { STEPFALL_RUN: run.id } : {}) };
      const cwd = project !== undefined && existsSync(project) ? project : world.cwd;
      const env = { ...world.env, ...about, ...secrets.values };
      const input = `${JSON.stringify(payload)}\n`;
      return runProgram({ argv: ["/bin/sh", "-c", call.command], cwd, env, input, until, timedOut }, world.mask);
    }
    case "webhook": {
      const filled = fill({ ...call.headers, "": call.url }, world);
      if (!filled.ok) return unable(filled.missing);
      const { "": url = "", ...headers } = filled.texts;
      return post({ url, headers, body: payload, isAsked, until, timedOut }, world.mask);
    }
    case "slack": {
      const url = world.secret(call.secret);
      if (url === undefined) return unable([call.secret]);
      return post({ url, headers: {}, body: slackBody(notice()), isAsked: false, until, timedOut }, world.mask);
    }
    case "desktop": {
      const argv = desktopArgv(notice(), world.env["PATH"]);
      if (!argv) return { kind: "unable", detail: "neither notify-send nor osascript is in the PATH" };
      return runProgram({ argv, cwd: world.cwd, env: world.env, input: "", until, timedOut }, world.mask);
    }
    default:
      return call satisfies never;
  }
}

const unable = (missing: readonly string[]): Called => ({
  kind: "unable",
  detail: `${missing.length === 1 ? "the secret" : "the secrets"} ${missing.join(", ")} ${missing.length === 1 ? "is" : "are"} not set here`,
});

function secretsNamed(
  names: readonly string[],
  { secret }: CallingWith,
): { ok: true; values: Record<string, string> } | { ok: false; missing: string[] } {
  const values: Record<string, string> = {};
  const missing: string[] = [];
  for (const name of names) {
    const value = secret(name);
    if (value === undefined) missing.push(name);
    else values[name] = value;
  }
  return missing.length > 0 ? { ok: false, missing } : { ok: true, values };
}

function fill(
  texts: Readonly<Record<string, string>>,
  world: CallingWith,
): { ok: true; texts: Record<string, string> } | { ok: false; missing: string[] } {
  const names = Object.values(texts).flatMap((text) => [...text.matchAll(SECRET_PLACE)].map((m) => m[1] ?? ""));
  const found = secretsNamed([...new Set(names)], world);
  if (!found.ok) return found;
  const filled = Object.entries(texts).map(
    ([name, text]) => [name, text.replaceAll(SECRET_PLACE, (_, secret: string) => found.values[secret] ?? "")] as const,
  );
  return { ok: true, texts: Object.fromEntries(filled) };
}
