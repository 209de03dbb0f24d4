import { readdirSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import { createFunctionExecutor, type FunctionHandler } from "../function/executor.ts";
import { createLocalHost } from "../host/local.ts";
import { fileParts, readParts } from "./a2a-parts.ts";
import { createHttpExecutor } from "./executor.ts";
import { attempt, listening, tempFolder, TOKEN, type Sent } from "./remote.testkit.ts";
import { serveAgent, type ServeAgentOptions } from "./serve.ts";

async function serve(handler: FunctionHandler, change: Partial<ServeAgentOptions> = {}) {
  const folder = tempFolder();
  const released: string[] = [];
  const served = await serveAgent({
    executor: createFunctionExecutor(handler),
    host: createLocalHost({ home: folder, clock: { now: () => Date.now() }, mask: (text) => text }),
    name: "helper",
    token: TOKEN,
    folder,
    lease: async (of) => ({ env: { WHO: "served" }, release: async () => void released.push(of) }),
    ...change,
  });
  onTestFinished(() => served.close());
  const left = () => readdirSync(folder).filter((name) => name.startsWith("task-"));
  return { ...served, released, left };
}

const a2a = (url: string, sent?: Sent, more: { token?: string; answerBytes?: number } = {}) =>
  attempt({ url, protocol: "a2a", ...more }, sent);
const until = async (holds: () => boolean) => {
  for (let tries = 0; tries < 500 && !holds(); tries++) await sleep(10);
};

test("files go there, come back changed, new and deleted, with words, progress and usage", async () => {
  const usage = { calls: 2, inputTokens: 11, cachedInputTokens: 5, outputTokens: 7 };
  let prompt = "";
  const logo = Buffer.from([0, 255, 1, 254]);
  const { url, released, left } = await serve(async (task, { workspace, progress, env }) => {
    const tree = workspace?.tree ?? "";
    prompt = task.prompt;
    progress(`looking, ${env["WHO"]}`);
    writeFileSync(join(tree, "src/sum.ts"), "export const sum = 1;\n");
    writeFileSync(join(tree, "logo.png"), logo);
    writeFileSync(join(tree, "big.txt"), "é".repeat(1_500_000));
    rmSync(join(tree, "src/old.ts"));
    return { summary: "sum is there", usage };
  });
  const files = { "src/sum.ts": "", "src/old.ts": "1", "src/same.ts": "2", "README.md": "# secret plans" };
  const { result, progress, read, tree } = await a2a(url, { files, step: { touches: ["src/**"] } });
  expect(result).toEqual({ kind: "ended", summary: "sum is there", reported: usage });
  expect(read("src/sum.ts")).toBe("export const sum = 1;\n");
  expect(read("big.txt")).toBe("é".repeat(1_500_000));
  expect(readdirSync(join(tree, "src")).toSorted()).toEqual(["same.ts", "sum.ts"]);
  expect(Buffer.from(read("logo.png"), "utf8").length).toBeGreaterThan(0);
  expect(progress).toContain("looking, served");
  expect(prompt).toMatch(/^add sum\n\nOf the project only 3 files.*- README.md/s);
  expect(prompt).not.toContain("secret plans");
  expect(released).toHaveLength(1);
  await until(() => left().length === 0);
  expect(left()).toEqual([]);
});

test("whatever bytes a file has, they arrive as they were", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), fc.integer({ min: 0, max: 30_000 }), (start, times) => {
      const bytes = Buffer.concat(Array.from({ length: times % 2 === 0 ? 1 : times }, () => Buffer.from(start)));
      const back = readParts(fileParts("a/b", bytes));
      const file = back.ok ? back.files[0] : undefined;
      expect(file && "content" in file ? Buffer.from(file.content, "base64").equals(bytes) : false).toBe(true);
    }),
    { numRuns: 30 },
  );
});

test("a failure there is a failure here, of the same kind", async () => {
  const { url } = await serve(() => {
    throw new Error("the spec contradicts itself");
  });
  expect((await a2a(url)).result).toEqual({ kind: "failed", because: "agent", message: "the spec contradicts itself" });
});

test("a task that is cancelled here is over there before the attempt is", async () => {
  const cancel = new AbortController();
  let isOver = false;
  const { url } = await serve(async (_, { signal }) => {
    cancel.abort();
    await sleep(60_000, undefined, { signal }).catch(() => sleep(50));
    isOver = true;
    return "never";
  });
  expect((await a2a(url, { context: { signal: cancel.signal } })).result).toEqual({ kind: "aborted" });
  expect(isOver).toBe(true);
});

test("an agent whose slots are taken rejects, and is free again afterwards", async () => {
  const free = Promise.withResolvers<string>();
  const begun = Promise.withResolvers<void>();
  const { url } = await serve(() => {
    begun.resolve();
    return free.promise;
  });
  const first = a2a(url);
  await begun.promise;
  expect((await a2a(url)).result).toMatchObject({ kind: "failed", because: "agent", message: expect.stringContaining("busy") });
  free.resolve("done");
  expect((await first).result.kind).toBe("ended");
  expect((await a2a(url)).result.kind).toBe("ended");
});

test("a server that is closed in the middle ends its tasks and waits for them, and the attempt has failed", async () => {
  const begun = Promise.withResolvers<void>();
  let isOver = false;
  const { url, close, left } = await serve(async (_, { signal }) => {
    begun.resolve();
    await sleep(60_000, undefined, { signal }).catch(() => sleep(100));
    isOver = true;
    return "never";
  });
  const running = a2a(url);
  await begun.promise;
  await close();
  expect([isOver, left()]).toEqual([true, []]);
  expect((await running).result).toMatchObject({ kind: "failed" });
  expect((await a2a(url)).result).toMatchObject({
    kind: "failed",
    because: "setup",
    message: expect.stringContaining("cannot be reached"),
  });
});

test("a stream that breaks while the task goes on is no loss: the task is asked for until it is over", async () => {
  const served = await serve(async () => {
    await sleep(300);
    return "done after all";
  });
  // What is in between cuts the stream after its first event, and nothing else.
  const { url } = await listening((incoming, response) => {
    const { host: _, ...rest } = incoming.headers;
    const onward = request(`${served.url}${incoming.url}`, { method: incoming.method, headers: rest, agent: false }, (answer) => {
      const isStream = answer.headers["content-type"] === "text/event-stream";
      if (incoming.method === "GET") {
        let text = "";
        answer.on("data", (chunk) => (text += String(chunk)));
        answer.on("end", () => response.end(text.replaceAll(served.url, `http://${incoming.headers.host}`)));
        return;
      }
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.on("data", (chunk) => {
        response.write(chunk);
        if (isStream) setTimeout(() => response.destroy(), 20);
      });
      answer.on("end", () => response.end());
    });
    incoming.pipe(onward);
  });
  expect((await a2a(url)).result).toEqual({ kind: "ended", summary: "done after all" });
});

test("more files than are taken are refused on either side", async () => {
  const handler: FunctionHandler = (_, { workspace }) => {
    writeFileSync(join(workspace?.tree ?? "", "big.bin"), Buffer.alloc(3_000_000, 255));
    return "done";
  };
  const there = await serve(handler, { mostBytes: 1_000_000 });
  expect((await a2a(there.url)).result).toMatchObject({
    kind: "failed",
    because: "agent",
    message: expect.stringContaining("more output"),
  });
  const here = await a2a((await serve(handler)).url, {}, { answerBytes: 1_000_000 });
  expect(here.result).toMatchObject({ kind: "failed", because: "agent", message: expect.stringContaining("more output") });
});

test("a file that a caller sends with a path that leads out is refused there", async () => {
  const { url } = await serve(() => "done");
  const message = { messageId: "1", role: "ROLE_USER", parts: [{ text: "x", filename: "../../evil" }, { text: "hi" }] };
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "SendMessage", params: { message } });
  const answer = await fetch(url, { method: "POST", body, headers: headers() });
  expect(await answer.json()).toMatchObject({ result: { task: { status: { state: "TASK_STATE_REJECTED" } } } });
});

const headers = (change: Record<string, string> = {}) => ({
  authorization: `Bearer ${TOKEN}`,
  "content-type": "application/json",
  "a2a-version": "1.0",
  ...change,
});

const status = (url: string, method: string, with_: Record<string, string>, body = "{}"): Promise<number> =>
  new Promise((resolve, reject) => {
    const req = request(url, { method, headers: with_ }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    req.on("error", reject);
    req.end(method === "GET" ? undefined : body);
  });

test("only who has the token, on this machine, and no web page, is served", async () => {
  const { url, port } = await serve(() => "done", { mostBytes: 5000 });
  const card = `${url}/.well-known/agent-card.json`;
  expect(await status(card, "GET", {})).toBe(200);
  expect(await status(card, "GET", { host: `evil.example.com:${port}` })).toBe(421);
  expect(await status(card, "GET", { origin: "https://evil.example.com" })).toBe(403);
  expect(await status(url, "POST", headers())).toBe(200);
  expect(await status(url, "POST", headers({ authorization: "Bearer wrong-token-of-nobody!!!" }))).toBe(401);
  expect(await status(url, "POST", { "content-type": "application/json" })).toBe(401);
  expect(await status(url, "POST", headers({ "content-type": "text/plain" }))).toBe(415);
  expect(await status(url, "POST", headers({ host: `evil.example.com:${port}` }))).toBe(421);
  expect(await status(url, "POST", headers({ origin: `http://127.0.0.1:${port}` }))).toBe(403);
  expect(await status(url, "POST", headers(), "x".repeat(6000))).toBe(413);
  expect(await status(`${url}/tasks`, "GET", headers())).toBe(404);
  expect(JSON.stringify(await (await fetch(card)).json())).not.toContain(TOKEN);
  const wrong = await a2a(url, {}, { token: "not-the-token-that-it-wants" });
  expect(wrong.result).toMatchObject({ kind: "failed", because: "setup", message: expect.stringContaining("401") });
  await expect(serve(() => "x", { token: "short" })).rejects.toMatchObject({ code: "AGENT_TOKEN_WEAK" });
  await expect(serve(() => "x", { port })).rejects.toMatchObject({ code: "AGENT_PORT" });
});

const card = (change: object) => ({
  name: "other",
  description: "",
  version: "1",
  supportedInterfaces: [{ url: "http://127.0.0.1:1/", protocolBinding: "JSONRPC", protocolVersion: "1.0" }],
  capabilities: {},
  skills: [],
  ...change,
});

test.each([
  ["to another origin", card({}), "leads to http://127.0.0.1:1"],
  ["to gRPC only", card({ supportedInterfaces: [{ url: "http://x/", protocolBinding: "GRPC", protocolVersion: "1.0" }] }), "JSON-RPC"],
  ["to A2A 0.3 only", card({ supportedInterfaces: [{ url: "http://x/", protocolBinding: "JSONRPC", protocolVersion: "0.3" }] }), "A2A 0.3"],
])("a card that leads %s is refused, and the token stays here", async (_, value, because) => {
  const { url } = await listening((__, response) => {
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify(value));
  });
  expect((await a2a(url)).result).toMatchObject({ kind: "failed", because: "setup", message: expect.stringContaining(because) });
  const preflight = await createHttpExecutor({ url, protocol: "a2a" }).preflight({
    host: undefined as never,
    env: {},
    scratch: tempFolder(),
    signal: new AbortController().signal,
  });
  expect(preflight).toMatchObject({ ok: false, problem: expect.stringContaining(because) });
});

test("an agent that does not stream, asks, hands over by URL or dies: each is told as it is", async () => {
  const task = (state: string, text: string, artifacts: object[] = []) => ({
    task: { id: "t", contextId: "c", status: { state, message: { messageId: "m", role: "ROLE_AGENT", parts: [{ text }] } }, artifacts },
  });
  const answers: Record<string, object | "die"> = {
    done: task("TASK_STATE_COMPLETED", "fine", [{ artifactId: "a", parts: [{ text: "x\n", filename: "a.txt" }] }]),
    message: { message: { messageId: "m", role: "ROLE_AGENT", parts: [{ text: "just words" }] } },
    asks: task("TASK_STATE_INPUT_REQUIRED", "which one?"),
    byUrl: task("TASK_STATE_COMPLETED", "fine", [{ artifactId: "a", parts: [{ url: "https://x/y", filename: "y" }] }]),
    dies: "die",
  };
  let next = "";
  const { url } = await listening((request, response) => {
    let body = "";
    request.on("data", (chunk) => (body += String(chunk)));
    request.on("end", () => {
      const interfaces = [{ url: `http://${request.headers.host}/`, protocolBinding: "JSONRPC", protocolVersion: "1.0" }];
      const answer = answers[next];
      response.setHeader("content-type", "application/json");
      if (request.method === "GET") response.end(JSON.stringify(card({ supportedInterfaces: interfaces })));
      else if (answer === "die") response.destroy();
      else response.end(JSON.stringify({ jsonrpc: "2.0", id: JSON.parse(body).id, result: answer }));
    });
  });
  const run = (name: string) => ((next = name), a2a(url));
  const done = await run("done");
  expect([done.result, done.read("a.txt")]).toEqual([{ kind: "ended", summary: "fine" }, "x\n"]);
  expect((await run("message")).result).toEqual({ kind: "ended", summary: "just words" });
  expect((await run("asks")).result).toMatchObject({ kind: "failed", message: expect.stringContaining("it asks: which one?") });
  expect((await run("byUrl")).result).toMatchObject({ kind: "failed", message: expect.stringContaining("not supported yet") });
  expect((await run("dies")).result).toMatchObject({ kind: "failed", because: "crash" });
});
