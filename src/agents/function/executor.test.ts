import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import type { AgentStep } from "../../domain/index.ts";
import { stepBase } from "../conformance.ts";
import type { ExecutionContext } from "../contract.ts";
import { createLocalHost } from "../host/local.ts";
import { createFunctionExecutor, type FunctionAnswer, type FunctionExecutorOptions, type FunctionHandler } from "./executor.ts";

const step: AgentStep = { ...stepBase, kind: "agent", prompt: "add sum", agent: { capability: [] } };

async function call(handler: FunctionHandler, change: Partial<ExecutionContext> = {}, options: FunctionExecutorOptions = {}) {
  const folder = mkdtempSync(join(tmpdir(), "stepfall-function-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const part of ["tree", "home", "tmp"]) mkdirSync(join(folder, part));
  const progress: string[] = [];
  const tree = join(folder, "tree");
  const result = await createFunctionExecutor(handler, options).execute(
    { attempt: "run/sum#1", runId: "run", step, prompt: "add sum", feedback: [{ gate: "tests", message: "sum is not a function" }] },
    {
      host: createLocalHost({ home: folder, clock: { now: () => Date.now() }, mask: (text) => text }),
      workspace: { tree, home: join(folder, "home"), tmp: join(folder, "tmp") },
      env: {},
      transcript: join(folder, "t.ndjson"),
      deadlineMs: 10_000,
      signal: new AbortController().signal,
      gateway: { url: "http://127.0.0.1:9/v1", key: "sf-key", model: "m" },
      progress: (text) => void progress.push(text),
      ...change,
    },
  );
  const transcript = () => readFileSync(join(folder, "t.ndjson"), "utf8");
  return { result, progress, tree, transcript };
}

test("a function gets its task, its workspace, the findings and the model, and its text is the summary", async () => {
  const { result, progress, tree, transcript } = await call(async function addSum(task, { workspace, gateway, feedback, progress: say }) {
    writeFileSync(join(workspace?.tree ?? "", "sum.js"), `// ${task.prompt}`);
    say("edit sum.js");
    return `${feedback[0]?.message}, ${gateway?.model}, ${gateway?.key}`;
  });
  expect(result).toEqual({ kind: "ended", summary: "sum is not a function, m, sf-key" });
  expect(readFileSync(join(tree, "sum.js"), "utf8")).toBe("// add sum");
  expect(progress).toEqual(["call addSum", "edit sum.js"]);
  expect(transcript()).toContain('"text":"edit sum.js"');
});

test("files it answers are written and deleted in the workspace, and what it used is told", async () => {
  const { result, tree, progress } = await call(async (_, { workspace }) => {
    writeFileSync(join(workspace?.tree ?? "", "old.js"), "");
    return {
      summary: "done",
      files: [
        { path: "src/sum.js", content: "export {};\n" },
        { path: "logo.png", content: "iVBORw==", encoding: "base64" },
        { path: "old.js", delete: true },
      ],
      usage: { calls: 1, inputTokens: 11, cachedInputTokens: 5, outputTokens: 7 },
    };
  });
  expect(result).toEqual({
    kind: "ended",
    summary: "done",
    reported: { calls: 1, inputTokens: 11, cachedInputTokens: 5, outputTokens: 7 },
  });
  expect(readFileSync(join(tree, "src/sum.js"), "utf8")).toBe("export {};\n");
  expect(readFileSync(join(tree, "logo.png"))).toEqual(Buffer.from([0x89, 0x50, 0x4e, 0x47]));
  expect(existsSync(join(tree, "old.js"))).toBe(false);
  expect(progress.slice(1)).toEqual(["write src/sum.js", "write logo.png", "delete old.js"]);
});

test.each([
  ["/etc/stepfall-test", "outside the workspace"],
  ["../stepfall-test", '".."'],
  ["src/../../x", '".."'],
  [".git/hooks/pre-commit", ".git"],
  [".GIT/config", ".git"],
  ["out/x", "out of the workspace"],
  ["dead/../x", '".."'],
])("a file at %s is refused, to be written as to be deleted", async (path, because) => {
  for (const file of [{ path, content: "x" }, { path, delete: true } as const]) {
    const { result, tree } = await call(async (_, { workspace }) => {
      symlinkSync(tmpdir(), join(workspace?.tree ?? "", "out"));
      mkdirSync(join(workspace?.tree ?? "", ".git/hooks"), { recursive: true });
      writeFileSync(join(workspace?.tree ?? "", ".git/hooks/pre-commit"), "");
      return { summary: "done", files: [file] };
    });
    expect(result).toMatchObject({ kind: "failed", because: "agent" });
    // A file system that tells case apart has no .GIT to delete from.
    if (!(path === ".GIT/config" && "delete" in file)) expect(result).toMatchObject({ message: expect.stringContaining(because) });
    expect(existsSync(join(tree, ".git/hooks/pre-commit"))).toBe(true);
  }
});

test("a throw is a failure with its message", async () => {
  const { result } = await call(async () => {
    throw new Error("the spec contradicts itself");
  });
  expect(result).toEqual({ kind: "failed", because: "agent", message: "the spec contradicts itself" });
  const { result: sync } = await call(() => {
    throw new TypeError("at once");
  });
  expect(sync).toMatchObject({ kind: "failed", message: "at once" });
});

test("an answer of another shape is a failure, not a success", async () => {
  const { result } = await call(async () => ({ ok: true }) as unknown as FunctionAnswer);
  expect(result).toMatchObject({ kind: "failed", because: "agent", message: expect.stringContaining("neither a text nor") });
});

test("a function that heeds its signal is over at once when it is cancelled, its cleaning up done", async () => {
  const cancel = new AbortController();
  let isClean = false;
  const { result } = await call(
    async (_, { signal }) => {
      setTimeout(() => cancel.abort(), 20);
      try {
        await sleep(60_000, undefined, { signal });
      } finally {
        await sleep(50);
        isClean = true;
      }
      return "never";
    },
    { signal: cancel.signal },
  );
  expect(result).toEqual({ kind: "aborted" });
  expect(isClean).toBe(true);
});

test("a function that hangs is given up at its deadline, and what it answers later is thrown away", async () => {
  const late = Promise.withResolvers<FunctionAnswer>();
  const { result, tree } = await call(() => late.promise, { deadlineMs: 100 });
  expect(result).toMatchObject({ kind: "failed", because: "timeout" });
  late.resolve({ summary: "late", files: [{ path: "late.js", content: "" }] });
  await sleep(20);
  expect(existsSync(join(tree, "late.js"))).toBe(false);
});

test("an attempt that was cancelled before it began calls nothing", async () => {
  let calls = 0;
  const { result } = await call(() => `${calls++}`, { signal: AbortSignal.abort() });
  expect([result.kind, calls]).toEqual(["aborted", 0]);
});

test("a function that touches no file needs no workspace, and may not answer files then", async () => {
  expect(createFunctionExecutor(() => "x", { needsWorkspace: false }).needsWorkspace).toBe(false);
  const without = { workspace: undefined } as unknown as Partial<ExecutionContext>;
  expect((await call(() => "42", without, { needsWorkspace: false })).result).toEqual({ kind: "ended", summary: "42" });
  expect((await call(() => "42", without)).result).toMatchObject({ kind: "failed", because: "internal" });
  const files = () => ({ summary: "x", files: [{ path: "a", content: "" }] });
  expect((await call(files, without, { needsWorkspace: false })).result).toMatchObject({ kind: "failed", because: "agent" });
});

test("a workspace that is not there fails before the function is called", async () => {
  const { result } = await call(() => "x", { workspace: { tree: "/nowhere/at/all", home: "/", tmp: "/" } });
  expect(result).toMatchObject({ kind: "failed", because: "setup" });
});

test("secrets are masked in the transcript and in what people see", async () => {
  const mask = (text: string) => text.replaceAll("sk-123", "***");
  const { transcript, progress } = await call((_, context) => (context.progress("with sk-123"), "sk-123"), {}, { mask });
  expect(transcript()).not.toContain("sk-123");
  expect(progress).toContain("with ***");
});
