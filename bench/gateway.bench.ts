import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { Agent, request } from "node:http";
import { availableParallelism, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { connectGateway, spawnScriptedModel, type Protocol } from "../src/models/index.ts";
import { added, takeTurns, type CallTime, type Way } from "./added-latency.ts";
import { median, report } from "./report.ts";

/**
 * What the gateway adds to a call, on loopback: the same conversation of about 30 kB asked of a scripted model directly, through the gateway,
 * and through the gateway by an agent of another wire format; whole and streamed. The model answers at once, so all that is seen is the way.
 */
const ROUNDS = 200;
const WARM_UPS = 30;

const home = await mkdtemp(join(tmpdir(), "stepfall-bench-gateway-"));
const scriptFile = join(home, "script.json");
const words = "The tests pass now, and the parser keeps its place in the file. ".repeat(5);
await writeFile(scriptFile, JSON.stringify({ models: ["m"], rules: [{ answer: { text: words, wordsPerChunk: 3 } }] }));
const model = await spawnScriptedModel({ scriptFile });
const gateway = await connectGateway({ home, clock: { now: () => Date.now() }, tuning: { idleMs: 200 } });

const bases = { chat: model.baseUrl, messages: model.baseUrl };
const price = { input: 1_000_000, cachedInput: 500_000, output: 2_000_000, source: "configured" } as const;
const openAt = (speaks: Protocol & keyof typeof bases): Promise<{ key: string; url: string }> =>
  gateway.openKey({
    runId: "bench",
    attempt: `bench/${speaks}#1`,
    agent: "bench",
    tier: "free",
    upstreams: [{ provider: "scripted", baseUrl: model.baseUrl, bases: { [speaks]: bases[speaks] }, model: "m", price }],
    budgets: [{ id: "run:bench", limit: 1_000_000_000, spent: 0 }],
    maxOutputTokens: 1_000,
  });

const long = "export function place(file: string, line: number): Place { return { file, line }; }\n".repeat(10);
const schema = { type: "object", properties: { path: { type: "string" }, text: { type: "string" } }, required: ["path"] };
const tools = Array.from({ length: 12 }, (_, i) => ({ name: `tool_${i}`, description: `Does the ${i}th thing to a file.`, schema }));
const turns = Array.from({ length: 15 }, (_, i) => [
  { role: "user", content: `${i}: ${long}` },
  { role: "assistant", content: `Read ${i}. ${long}` },
]).flat();
let asked = 0;
const last = (): { role: string; content: string } => ({ role: "user", content: `Go on with ${(asked += 1)}.` });

const body: Record<keyof typeof bases, (stream: boolean) => unknown> = {
  chat: (stream) => ({
    model: "m",
    stream,
    ...(stream && { stream_options: { include_usage: true } }),
    messages: [{ role: "system", content: "Be exact." }, ...turns, last()],
    tools: tools.map(({ name, description, schema: parameters }) => ({ type: "function", function: { name, description, parameters } })),
  }),
  messages: (stream) => ({
    model: "m",
    stream,
    max_tokens: 500,
    system: "Be exact.",
    messages: [...turns, last()],
    tools: tools.map(({ name, description, schema: input_schema }) => ({ name, description, input_schema })),
  }),
};
const paths = { chat: "/chat/completions", messages: "/messages" };

const agent = new Agent({ keepAlive: true });
const call = (url: string, key: string, format: keyof typeof bases, stream: boolean): Promise<CallTime> =>
  new Promise((resolve, reject) => {
    const text = JSON.stringify(body[format](stream));
    const headers = { authorization: `Bearer ${key}`, "content-type": "application/json", "content-length": Buffer.byteLength(text) };
    const begun = performance.now();
    let firstMs: number | undefined;
    const req = request(url + paths[format], { method: "POST", headers, agent }, (res) => {
      if (res.statusCode !== 200) reject(new TypeError(`${url} answered HTTP ${res.statusCode}`));
      let said = "";
      res.setEncoding("utf8").on("data", (piece: string) => {
        said += firstMs === undefined ? piece : "";
        // Not the events that open a stream: the first word.
        if (said.includes("The tests")) firstMs ??= performance.now() - begun;
      });
      res.once("end", () => {
        const endMs = performance.now() - begun;
        resolve({ firstMs: firstMs ?? endMs, endMs });
      });
      res.once("error", reject);
    });
    req.once("error", reject);
    req.end(text);
  });

try {
  const native = await openAt("chat");
  const crossing = await openAt("messages");
  const ways = (stream: boolean): Way[] => [
    { name: "direct", call: () => call(model.baseUrl, "any", "chat", stream) },
    { name: "gateway", call: () => call(native.url, native.key, "chat", stream) },
    { name: "direct messages", call: () => call(model.baseUrl, "any", "messages", stream) },
    { name: "chat to messages", call: () => call(crossing.url, crossing.key, "chat", stream) },
    { name: "messages to chat", call: () => call(native.url, native.key, "messages", stream) },
  ];
  const whole = await takeTurns(ways(false), ROUNDS, WARM_UPS);
  const streamed = await takeTurns(ways(true), ROUNDS, WARM_UPS);
  const of = (times: typeof whole, name: string): CallTime[] => times.get(name) ?? [];
  const over = (times: typeof whole, name: string, direct: string): ReturnType<typeof added> => added(of(times, direct), of(times, name));
  const worse = (a: number, b: number): number => Math.max(a, b);
  const [plain, plainStream] = [over(whole, "gateway", "direct"), over(streamed, "gateway", "direct")];
  // Held against the upstream's own format: that is what the model was asked in.
  const [toMessages, toChat] = [over(whole, "chat to messages", "direct messages"), over(whole, "messages to chat", "direct")];
  const [streamToMessages, streamToChat] = [
    over(streamed, "chat to messages", "direct messages"),
    over(streamed, "messages to chat", "direct"),
  ];
  report(
    "gateway",
    {
      added_p50_ms: plain.p50,
      added_p50_translated_ms: worse(toMessages.p50, toChat.p50),
      added_p95_ms: plain.p95,
      added_p95_translated_ms: worse(toMessages.p95, toChat.p95),
      added_first_token_ms: plainStream.first,
      added_first_token_translated_ms: worse(streamToMessages.first, streamToChat.first),
      added_stream_p50_ms: plainStream.p50,
      added_stream_p50_translated_ms: worse(streamToMessages.p50, streamToChat.p50),
      direct_p50_ms: median(of(whole, "direct").map(({ endMs }) => endMs)),
      direct_first_token_ms: median(of(streamed, "direct").map(({ firstMs }) => firstMs)),
      request_kb: Math.round(JSON.stringify(body.chat(false)).length / 1024),
      calls: ROUNDS * 10,
      // Above 1 every hop waits for others, and the way through the gateway has more hops.
      load_per_core: (loadavg()[0] ?? 0) / availableParallelism(),
    },
    { added_p50_ms: "< 5", added_p50_translated_ms: "< 5" },
    ["Peer: the same call to the model itself, in the same rounds. Of both directions of the translation the slower one is told."],
  );
  for (const { key } of [native, crossing]) await gateway.closeKey(key);
} finally {
  agent.destroy();
  await gateway.disconnect();
  await model.stop();
  // It ends by itself, and writes its last lines then.
  for (let waited = 0; waited < 5_000 && isAlive(gateway.pid); waited += 50) await sleep(50);
  await rm(home, { recursive: true, force: true, maxRetries: 5 }).catch(() => undefined);
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
