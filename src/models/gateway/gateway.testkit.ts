import { spawnSync } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { onTestFinished } from "vitest";
import { startScriptedModel, type ScriptedModel, type ScriptedModelOptions } from "../scripted/index.ts";
import { connectGateway, type ConnectGatewayOptions } from "./connect.ts";
import type { GatewayClient, KeySpec, ModelPrice, OpenKey, Protocol, Upstream } from "./contract.ts";
import { startTimeOf } from "./process-identity.ts";

/** What the tests of the gateway share: homes, gateways and scripted models that are gone when the test is. */

export const clock = { now: () => Date.now() };

export const upstreamKey = "upstream-secret-0123456789";

/** 1, 0.5 and 2 dollars per million tokens: so micro-dollars are input + cached / 2 + 2 * output. */
export const price: ModelPrice = { input: 1_000_000, cachedInput: 500_000, output: 2_000_000, source: "configured" };

export async function tempHome(): Promise<string> {
  const home = await mkdtemp(join(tmpdir(), "stepfall-gateway-"));
  onTestFinished(() => rm(home, { recursive: true, force: true, maxRetries: 5 }));
  return home;
}

export async function scripted(script: ScriptedModelOptions["script"]): Promise<ScriptedModel> {
  const model = await startScriptedModel({ script, apiKey: upstreamKey });
  onTestFinished(() => model.close());
  return model;
}

/** A client whose gateway is ended with the test. */
export async function gateway(options: Partial<ConnectGatewayOptions> & { home: string }): Promise<GatewayClient> {
  const client = await connectGateway({ clock, ...options });
  // Killed while it is watched it would be started again.
  onTestFinished(() => client.disconnect().then(() => endProcess(client.pid)));
  return client;
}

/** Kills a process with its children, so that none of them acts on the end of another: of a gateway the holder and its worker. */
export async function endProcess(pid: number): Promise<void> {
  if (startTimeOf(pid) === undefined) return;
  process.kill(pid, "SIGSTOP");
  const family = [...childrenOf(pid), pid];
  for (const one of family) if (startTimeOf(one) !== undefined) process.kill(one, "SIGKILL");
  await until(() => family.every((one) => startTimeOf(one) === undefined));
}

/** Of a gateway: its worker. */
export function childrenOf(pid: number): number[] {
  const ps = spawnSync("ps", ["-A", "-o", "pid=,ppid="], { encoding: "utf8", env: { LC_ALL: "C", PATH: "/bin:/usr/bin" } });
  const pairs = ps.stdout
    .trim()
    .split("\n")
    .map((line) => line.trim().split(/\s+/).map(Number));
  return pairs.flatMap(([child, parent]) => (parent === pid && child !== undefined ? [child] : []));
}

export async function until(holds: () => boolean | Promise<boolean>, timeoutMs = 15_000): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error("what was waited for did not happen");
    await sleep(10);
  }
}

export function spec(
  model: Pick<ScriptedModel, "baseUrl"> | string,
  change: Partial<KeySpec> & { upstream?: Partial<Upstream> } = {},
): KeySpec {
  const { upstream, ...rest } = change;
  const baseUrl = typeof model === "string" ? model : model.baseUrl;
  return {
    runId: "run1",
    attempt: "run1/build#1",
    agent: "agent-a",
    tier: "free",
    upstreams: [{ provider: "scripted", baseUrl, apiKey: upstreamKey, model: "big-model-2026", price, ...upstream }],
    budgets: [],
    maxOutputTokens: 1_000,
    ...rest,
  };
}

export const ask = (open: OpenKey, body: Record<string, unknown>, init: RequestInit = {}): Promise<Response> =>
  fetch(`${open.url}/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${open.key}`, "content-type": "application/json" },
    body: JSON.stringify({ model: "stepfall", messages: [{ role: "user", content: "hello" }], ...body }),
    ...init,
  });

// oxlint-disable-next-line typescript/no-explicit-any -- tests reach into answers of any shape
export type Loose = any;

export const bodyOf = async (response: Response): Promise<Loose> => response.json();

/** The chunks of a stream, parsed; `[DONE]` as it is. */
export async function chunks(response: Response): Promise<Loose[]> {
  const text = await response.text();
  return text
    .split("\n\n")
    .filter((event) => event.startsWith("data: "))
    .map((event) => (event === "data: [DONE]" ? "[DONE]" : JSON.parse(event.slice(6))));
}

export async function everyFile(folder: string): Promise<{ path: string; bytes: Buffer }[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((e) => e.isFile()).map((e) => join(e.parentPath, e.name));
  return Promise.all(files.map(async (path) => ({ path, bytes: await readFile(path) })));
}

/** What a scripted model at this origin speaks, and where. */
export const basesAt = (origin: string): NonNullable<Upstream["bases"]> => ({
  chat: `${origin}/v1`,
  responses: `${origin}/v1`,
  messages: `${origin}/v1`,
  gemini: `${origin}/v1beta`,
});

export const protocols: readonly Protocol[] = ["chat", "responses", "messages", "gemini"];

/** A request in each format, as small as it can be. */
export function asked(protocol: Protocol, { stream = false, model = "my-name", text = "hello" } = {}): { path: string; body: Loose } {
  const message = { role: "user", content: text };
  const method = stream ? "streamGenerateContent?alt=sse" : "generateContent";
  switch (protocol) {
    case "chat":
      return { path: "/v1/chat/completions", body: { model, stream, stream_options: { include_usage: true }, messages: [message] } };
    case "responses":
      return { path: "/v1/responses", body: { model, stream, input: [message] } };
    case "messages":
      return { path: "/v1/messages", body: { model, stream, max_tokens: 500, messages: [message] } };
    case "gemini":
      return { path: `/v1beta/models/${model}:${method}`, body: { contents: [{ role: "user", parts: [{ text }] }] } };
    default:
      return protocol satisfies never;
  }
}

export const send = (
  url: string,
  { path, body }: { path: string; body: Loose },
  headers: Record<string, string>,
  init: RequestInit = {},
): Promise<Response> => fetch(url + path, { method: "POST", headers, body: JSON.stringify(body), ...init });
