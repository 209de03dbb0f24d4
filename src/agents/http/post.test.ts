import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import type { RequestListener, ServerResponse } from "node:http";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { createHttpExecutor } from "./executor.ts";
import { attempt, listening, tempFolder, TOKEN, type Sent } from "./remote.testkit.ts";

/** The example, as a process of its own. */
async function example(): Promise<string> {
  const program = fileURLToPath(new URL("../../../examples/http-agent/server.mjs", import.meta.url));
  const child = spawn(process.execPath, [program], { env: { AGENT_TOKEN: TOKEN }, stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  for await (const line of createInterface(child.stdout)) return line.replace("listening on ", "");
  throw new Error("the example did not start");
}

const post = (url: string, sent?: Sent, more: { token?: string; answerBytes?: number } = {}) =>
  attempt({ url, protocol: "post", ...more }, sent);
const json =
  (value: unknown, status = 200): RequestListener =>
  (_, response) => {
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
  };
const stream = (response: ServerResponse) => response.writeHead(200, { "content-type": "text/event-stream" });

test("the example gets the files that the step touches, and its changes land in the workspace", async () => {
  const url = await example();
  const files = { "src/sum.js": "export {};\n", "src/old.ts": "// SPDX-License-Identifier: MIT\n", "README.md": "# x\n" };
  const { result, progress, read } = await post(url, { files, step: { touches: ["src/**"] } });
  expect(result).toEqual({ kind: "ended", summary: "Added the licence to 1 of 2 files." });
  expect(read("src/sum.js")).toBe("// SPDX-License-Identifier: MIT\nexport {};\n");
  expect(progress).toEqual([`send 2 files and 3 names to ${new URL(url).origin}`, "license src/sum.js", "edit src/sum.js"]);
});

test("the example says what it cannot do, and who may not ask", async () => {
  const url = await example();
  const { result } = await post(url, { files: { a: "" } });
  expect(result).toMatchObject({ kind: "failed", because: "agent", message: expect.stringContaining("touches") });
  const other = await post(url, {}, { token: "not-the-token-that-it-wants" });
  expect(other.result).toMatchObject({ kind: "failed", because: "setup", message: "wrong token" });
  const check = (token: string) =>
    createHttpExecutor({ url, protocol: "post", token }).preflight({
      host: undefined as never,
      env: {},
      scratch: tempFolder(),
      signal: new AbortController().signal,
    });
  expect(await check(TOKEN)).toMatchObject({ ok: true });
  expect(await check("not-the-token-that-it-wants")).toMatchObject({ ok: false, problem: expect.stringContaining("401") });
});

test("a plain JSON answer with usage is as good as a stream, and the request holds what is documented", async () => {
  let body = "";
  const usage = { calls: 2, inputTokens: 11, cachedInputTokens: 5, outputTokens: 7 };
  const { url } = await listening((request, response) => {
    request.on("data", (chunk) => (body += String(chunk)));
    request.on("end", () => json({ summary: "done", usage })(request, response));
  });
  const { result } = await post(url, { files: { a: "1" } });
  expect(result).toEqual({ kind: "ended", summary: "done", reported: usage });
  expect(JSON.parse(body)).toMatchObject({
    attempt: "run/sum#1",
    prompt: "add sum",
    feedback: [{ message: "sum is missing" }],
    files: { list: ["a"], contents: [] },
  });
});

test.each([
  ["/etc/stepfall-test", "outside the workspace"],
  ["../stepfall-test", '".."'],
  [".git/hooks/post-commit", ".git"],
])("a file at %s is refused and the attempt failed", async (path, because) => {
  const { url } = await listening(json({ summary: "done", files: [{ path, content: "x" }] }));
  expect((await post(url)).result).toMatchObject({ kind: "failed", because: "agent", message: expect.stringContaining(because) });
});

test("a symlink that leads out is not written through", async () => {
  const outside = tempFolder();
  const { url } = await listening(json({ summary: "done", files: [{ path: "link/x", content: "x" }] }));
  const { result } = await post(url, { links: { link: outside } });
  expect(result).toMatchObject({ kind: "failed", message: expect.stringContaining("out of the workspace") });
  expect(existsSync(join(outside, "x"))).toBe(false);
});

test("a server that dies in the middle has crashed", async () => {
  const { url } = await listening((_, response) => {
    stream(response).write('event: progress\ndata: {"text":"on it"}\n\n');
    setTimeout(() => response.destroy(), 30);
  });
  const { result, progress } = await post(url);
  expect(result).toMatchObject({ kind: "failed", because: "crash" });
  expect(progress).toContain("on it");
});

test("a stream that ends politely without an answer is no success", async () => {
  const { url } = await listening((_, response) => void stream(response).end('event: progress\ndata: {"text":"x"}\n\n'));
  expect((await post(url)).result).toMatchObject({ kind: "failed", because: "crash", message: expect.stringContaining("without saying") });
});

test("nobody there is a failure before anything was done", async () => {
  const { url, die } = await listening(() => {});
  die();
  expect((await post(url)).result).toMatchObject({
    kind: "failed",
    because: "setup",
    message: expect.stringContaining("cannot be reached"),
  });
});

test("an answer that is too large is refused while it comes", async () => {
  let sent = 0;
  const { url } = await listening((_, response) => {
    stream(response);
    const more = () => {
      while (!response.destroyed && response.write(`: ${"x".repeat(10_000)}\n`)) sent += 10_000;
    };
    response.on("drain", more);
    more();
  });
  const { result } = await post(url, {}, { answerBytes: 200_000 });
  expect(result).toMatchObject({ kind: "failed", because: "agent", message: expect.stringContaining("more output") });
  expect(sent).toBeLessThan(20_000_000);
});

test("a server that hangs is given up at the deadline, and told so by the closed connection", async () => {
  const closed = Promise.withResolvers<void>();
  const { url } = await listening((_, response) => void response.on("close", () => closed.resolve()));
  const { result } = await post(url, { context: { deadlineMs: 100 } });
  expect(result).toMatchObject({ kind: "failed", because: "timeout" });
  await closed.promise;
});

test("an attempt that is cancelled closes the connection", async () => {
  const cancel = new AbortController();
  const closed = Promise.withResolvers<void>();
  const { url } = await listening((_, response) => {
    response.on("close", () => closed.resolve());
    cancel.abort();
  });
  expect((await post(url, { context: { signal: cancel.signal } })).result).toEqual({ kind: "aborted" });
  await closed.promise;
});

test.each([
  [429, "provider"],
  [500, "crash"],
  [403, "setup"],
  [404, "agent"],
  [302, "setup"],
] as const)("HTTP %i without a word fails as %s", async (status, because) => {
  const { url } = await listening((_, response) => void response.writeHead(status, { location: "http://127.0.0.1:1/" }).end("<html>"));
  expect((await post(url)).result).toMatchObject({ kind: "failed", because, message: expect.stringContaining(String(status)) });
});

test("an answer of another shape is no success", async () => {
  const { url } = await listening(json({ ok: true }));
  expect((await post(url)).result).toMatchObject({ kind: "failed", message: expect.stringContaining("neither") });
});

test("a token that the other side repeats is in no transcript, message or progress", async () => {
  const { url } = await listening((request, response) => {
    const said = JSON.stringify({ text: `you sent ${request.headers.authorization}` });
    stream(response).end(`event: progress\ndata: ${said}\n\nevent: done\ndata: ${JSON.stringify({ summary: TOKEN })}\n\n`);
  });
  const { result, progress, transcript } = await post(url);
  expect(result.kind).toBe("ended");
  expect(JSON.stringify([result, progress, transcript])).not.toContain(TOKEN);
  expect(progress.join()).toContain("Bearer ***");
});
