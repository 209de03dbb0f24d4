import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { SECRET_PLACE } from "../config/index.ts";
import type { Callee, Called, CallingWith, Payload } from "./contract.ts";
import { desktopArgv, noticeOf, slackBody } from "./notice.ts";

/** Most of an answer, or of what a command prints, that is read. */
const MOST_BYTES = 64 * 1024;
const MOST_DETAIL = 2000;

export interface CallTarget {
  callee: Callee;
  payload: Payload;
  /** Where a command runs; when it is not there any more, in the home. */
  project?: string | undefined;
  signal: AbortSignal;
}

/** One try. Never throws. */
export async function callHook({ callee, payload, project, signal }: CallTarget, world: CallingWith): Promise<Called> {
  const { call, timeoutMs } = callee;
  const until = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
  const timedOut = `gave no answer within ${timeoutMs} ms`;
  switch (call.kind) {
    case "command": {
      const secrets = secretsNamed(call.secrets, world);
      if (!secrets.ok) return unable(secrets.missing);
      const { event, run } = payload;
      const about = { STEPFALL_EVENT: event.type, ...(run ? { STEPFALL_RUN: run.id } : {}) };
      const cwd = project !== undefined && existsSync(project) ? project : world.cwd;
      const env = { ...world.env, ...about, ...secrets.values };
      return runProgram({ argv: ["/bin/sh", "-c", call.command], cwd, env, input: `${JSON.stringify(payload)}\n`, until, timedOut }, world);
    }
    case "webhook": {
      const filled = fill({ ...call.headers, "": call.url }, world);
      if (!filled.ok) return unable(filled.missing);
      const { "": url = "", ...headers } = filled.texts;
      return post(url, headers, payload, until, timedOut, world);
    }
    case "slack": {
      const url = world.secret(call.secret);
      if (url === undefined) return unable([call.secret]);
      return post(url, {}, slackBody(noticeOf(payload, world.program)), until, timedOut, world);
    }
    case "desktop": {
      const argv = desktopArgv(noticeOf(payload, world.program), world.env["PATH"]);
      if (!argv) return { kind: "unable", detail: "neither notify-send nor osascript is in the PATH" };
      return runProgram({ argv, cwd: world.cwd, env: world.env, input: "", until, timedOut }, world);
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

interface Program {
  argv: readonly [string, ...string[]];
  cwd: string;
  env: Readonly<Record<string, string>>;
  input: string;
  until: AbortSignal;
  timedOut: string;
}

/** In a process group of its own, which ends as a whole. */
async function runProgram({ argv, cwd, env, input, until, timedOut }: Program, { mask }: CallingWith): Promise<Called> {
  if (until.aborted) return { kind: "failed", detail: timedOut };
  const [program, ...args] = argv;
  return new Promise((resolve) => {
    const child = spawn(program, args, { cwd, env, detached: true, stdio: ["pipe", "pipe", "pipe"] });
    let out = "";
    let err = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (out = (out + text).slice(0, MOST_BYTES)));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (err = (err + text).slice(-MOST_BYTES)));
    // A command that does not read its stdin is no failure.
    child.stdin.on("error", () => undefined);
    child.stdin.end(input);
    const end = (): void => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
      } catch {
        // It has ended meanwhile.
      }
      child.stdout.destroy();
      child.stderr.destroy();
    };
    until.addEventListener("abort", end, { once: true });
    const done = (called: Called): void => {
      until.removeEventListener("abort", end);
      resolve(called);
    };
    child.on("error", (error) => done({ kind: "failed", detail: mask(error.message) }));
    child.on("close", (code, signal) => {
      if (until.aborted) return done({ kind: "failed", detail: timedOut });
      const said = mask(lastOf(err) || lastOf(out));
      if (code === null) return done({ kind: "failed", detail: `was ended by ${signal ?? "a signal"}${said && `: ${said}`}` });
      // The shell's own words for a program that is not there, or that it may not start.
      if (code === 126 || code === 127) return done({ kind: "failed", detail: said || `exit code ${code}` });
      return done({ kind: "answered", code, body: mask(code === 0 ? out : said) });
    });
  });
}

async function post(
  url: string,
  headers: Readonly<Record<string, string>>,
  body: unknown,
  until: AbortSignal,
  timedOut: string,
  { mask }: CallingWith,
): Promise<Called> {
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json", "user-agent": "stepfall", ...headers },
      body: JSON.stringify(body),
      // Headers hold secrets: they go to the address that was given, and nowhere else.
      redirect: "manual",
      signal: until,
    });
    const text = await readSome(response);
    if (response.ok) return { kind: "answered", code: 0, body: mask(text) };
    return { kind: "failed", detail: mask(`HTTP ${response.status}${text.trim() === "" ? "" : `: ${lastOf(text)}`}`) };
  } catch (error) {
    if (until.aborted) return { kind: "failed", detail: timedOut };
    const cause = error instanceof Error && error.cause instanceof Error ? `: ${error.cause.message}` : "";
    return { kind: "failed", detail: mask(`${error instanceof Error ? error.message : String(error)}${cause}`) };
  }
}

async function readSome(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const bytes of response.body ?? []) {
    text += decoder.decode(bytes as Uint8Array, { stream: true });
    if (text.length >= MOST_BYTES) break;
  }
  return text.slice(0, MOST_BYTES);
}

const lastOf = (text: string): string => text.trim().slice(-MOST_DETAIL);
