import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import type { AgentStep } from "../../domain/index.ts";
import { stepBase } from "../conformance.ts";
import type { ExecutionResult, Messages } from "../contract.ts";
import { createLocalHost } from "../host/local.ts";
import { createChatExecutor, type ChatExecutorOptions } from "./executor.ts";
import { startScriptedEndpoint, type ScriptedEndpoint } from "./scripted-endpoint.testkit.ts";

/** The real process, as Stepfall starts it: by its name only, the room above is not imported. */
const main = fileURLToPath(new URL("../../setup/text-chat-main.ts", import.meta.url));
const step: AgentStep = { ...stepBase, kind: "agent", prompt: "add sum", agent: { capability: [] } };

let endpoint: ScriptedEndpoint;
let folder: string;
let tree: string;
beforeAll(async () => void (endpoint = await startScriptedEndpoint()));
afterAll(() => endpoint.close());
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "stepfall-text-chat-"));
  tree = join(folder, "tree");
  mkdirSync(join(tree, "src"), { recursive: true });
  endpoint.requests.length = 0;
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function chat(replies: string[], options: ChatExecutorOptions = { main }, messages?: Messages) {
  endpoint.script(replies.map((text) => ({ text })));
  const progress: string[] = [];
  const result: ExecutionResult = await createChatExecutor({ maxRetries: 0, tools: false, ...options }).execute(
    { attempt: `run-${process.pid}/text#1`, runId: "run", step, prompt: "add sum", feedback: [] },
    {
      host: createLocalHost({ home: join(folder, "stepfall"), clock: { now: () => Date.now() }, mask: (text) => text }),
      workspace: { tree, home: folder, tmp: folder },
      env: { PATH: process.env["PATH"] ?? "/usr/bin:/bin", HOME: folder },
      transcript: join(folder, "t.ndjson"),
      deadlineMs: 60_000,
      signal: new AbortController().signal,
      gateway: { url: endpoint.url, key: "sf-test-key", model: "scripted" },
      progress: (text) => void progress.push(text),
      ...(messages ? { messages } : {}),
    },
  );
  const asked = endpoint.requests.map(({ body }) => textOf(body.messages?.at(-1)?.content));
  return { result, progress, asked };
}

const textOf = (content: unknown): string => (typeof content === "string" ? content : JSON.stringify(content));
const inTree = (path: string): string => readFileSync(join(tree, path), "utf8");

test("a model without tools reads, edits and adds files by what it writes", async () => {
  writeFileSync(join(tree, "src/sum.js"), "export const sum = (a, b) => a - b;\n");
  const { result, progress, asked } = await chat([
    "Let me look.\n\n```read\nsrc/sum.js\n```\n",
    "src/sum.js\n```js\n<<<<<<< SEARCH\nexport const sum = (a, b) => a - b;\n=======\nexport const sum = (a, b) => a + b;\n>>>>>>> REPLACE\n```\n\n```js:docs/use/sum.js\nconsole.log(1);\n```\n",
  ]);
  expect(result).toMatchObject({ kind: "ended", reported: { calls: 2, inputTokens: 22, outputTokens: 14 } });
  expect(inTree("src/sum.js")).toBe("export const sum = (a, b) => a + b;\n");
  expect(inTree("docs/use/sum.js")).toBe("console.log(1);\n");
  expect(asked[0]).toContain("src/sum.js");
  expect(asked[1]).toContain("a - b");
  expect(progress).toEqual(["write src/sum.js", "write docs/use/sum.js"]);
  expect(endpoint.requests[0]?.body.tools ?? []).toEqual([]);
}, 60_000);

test("what a person says meanwhile is the next thing the model is asked, also when it said that it is done", async () => {
  const delivered: number[] = [];
  const messages: Messages = {
    follow: (take) => (take({ n: 1, by: "ann", text: "use tabs" }), { [Symbol.dispose]: () => {} }),
    delivered: (n) => void delivered.push(n),
  };
  const { result, asked, progress } = await chat(["```js:a.js\nlet a;\n```\n", "```js:a.js\n\tlet a;\n```\n"], { main }, messages);
  expect(result).toMatchObject({ kind: "ended", reported: { calls: 2 } });
  expect([asked[1], delivered]).toEqual(["ann, who follows your work, says:\nuse tabs", [1]]);
  expect(progress).toContain("is told by ann: use tabs");
  expect(inTree("a.js")).toBe("\tlet a;\n");
}, 60_000);

test("what does not fit or would not parse goes back to the model, and its next answer mends it", async () => {
  writeFileSync(join(tree, "a.js"), "let total = 1;\n");
  const { result, asked } = await chat([
    "a.js\n```\n<<<<<<< SEARCH\nlet totals = 1;\n=======\nlet total = 2;\n>>>>>>> REPLACE\n```\n\n```js:b.js\nfunction (\n```\n\n```js:c.js\nlet c;\n```\n",
    "a.js\n```\n<<<<<<< SEARCH\nlet total = 1;\n=======\nlet total = 2;\n>>>>>>> REPLACE\n```\n\n```js:b.js\nlet b;\n```\n",
  ]);
  expect(result).toMatchObject({ kind: "ended" });
  expect(asked[1]).toContain("Applied: write c.js.");
  expect(asked[1]).toContain("The most similar lines of the file are, from line 1:");
  expect(asked[1]).toContain("b.js would not parse");
  expect([inTree("a.js"), inTree("b.js"), inTree("c.js")]).toEqual(["let total = 2;\n", "let b;\n", "let c;\n"]);
}, 60_000);

test("nothing is read or written outside the tree, not even through a symlink, and a model may give up", async () => {
  writeFileSync(join(folder, "secret.txt"), "secret\n");
  symlinkSync("..", join(tree, "up"));
  const { result, asked } = await chat([
    "```read\n../secret.txt\nup/secret.txt\n```\n\n```txt:../out.txt\nx\n```\n\n```txt:up/out.txt\nx\n```\n\n```sh:.git/hooks/post-commit.sh\nx\n```\n",
    "GIVE UP: there is nothing to add.",
  ]);
  expect(result).toMatchObject({ kind: "failed", because: "agent", message: "the model gave up: there is nothing to add." });
  expect(asked[1]).not.toContain("secret\n");
  expect(asked[1]?.match(/[Rr]efused/g)?.length).toBeGreaterThanOrEqual(5);
  expect(existsSync(join(folder, "out.txt"))).toBe(false);
  expect(existsSync(join(tree, ".git"))).toBe(false);
}, 60_000);

test("a model that never gets it right ends after its turns", async () => {
  const never = await chat(["```js:a.js\nlet a"], { main, maxTurns: 2 });
  expect(never.result).toMatchObject({ kind: "failed", because: "agent", message: "not done after 2 turns" });
  expect(endpoint.requests).toHaveLength(2);
}, 60_000);

test("a process that cannot read replies says so", async () => {
  const { result } = await chat(["done"], {});
  expect(result).toMatchObject({ kind: "failed", message: expect.stringContaining("not supported") as string });
  expect(endpoint.requests).toHaveLength(0);
}, 60_000);
