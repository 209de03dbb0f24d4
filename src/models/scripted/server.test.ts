import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { generateText, jsonSchema, stepCountIs, streamText, tool } from "ai";
import { expect, onTestFinished, test } from "vitest";
import { countTokens } from "../tokens.ts";
import { spawnScriptedModel, startScriptedModel, type ScriptedModel, type ScriptedModelOptions } from "./index.ts";

async function start(script: ScriptedModelOptions["script"]): Promise<ScriptedModel> {
  const model = await startScriptedModel({ script });
  onTestFinished(() => model.close());
  return model;
}

const post = (model: Pick<ScriptedModel, "baseUrl">, content: string, more: Record<string, unknown> = {}): Promise<Response> =>
  fetch(`${model.baseUrl}/chat/completions`, {
    method: "POST",
    body: JSON.stringify({ model: "m", messages: [{ role: "user", content }], ...more }),
  });

const provider = (model: ScriptedModel) => createOpenAICompatible({ name: "scripted", baseURL: model.baseUrl, includeUsage: true })("any");

const read = tool({
  description: "reads a file",
  inputSchema: jsonSchema<{ path: string }>({ type: "object", properties: { path: { type: "string" } } }),
  execute: async ({ path }) => `content of ${path}`,
});

test("a real client goes through scripted turns, with tools, streamed and not", async () => {
  const turns = [{ text: "Let me look.", toolCalls: [{ name: "read", arguments: { path: "a.ts" } }] }, { text: "It is fine." }];
  const model = await start({ rules: [{ when: { lastUser: "check" }, turns }] });
  const options = { model: provider(model), prompt: "check a.ts", tools: { read }, stopWhen: stepCountIs(4) };
  const whole = await generateText(options);
  expect(whole.text).toBe("It is fine.");
  expect(whole.steps.flatMap((s) => s.toolResults.map((r) => r.output))).toEqual(["content of a.ts"]);
  const streamed = streamText(options);
  expect(await streamed.text).toBe("It is fine.");
  expect((await streamed.steps)[0]?.toolCalls).toMatchObject([{ toolName: "read", input: { path: "a.ts" } }]);
  const served = model.served();
  expect(served.map((s) => [s.n, s.stream, s.outcome, s.usageReported])).toEqual([
    [1, false, "completed", true],
    [2, false, "completed", true],
    [3, true, "completed", true],
    [4, true, "completed", true],
  ]);
  expect(served[1]?.completionTokens).toBe(countTokens("It is fine."));
  expect(served[3]?.sentTokens).toBe(served[3]?.completionTokens);
});

test("rules are tried in order, some only so often, and what nothing matches is an error", async () => {
  const model = await start({
    rules: [
      { when: { lastUser: "hello" }, times: 1, answer: { fault: { kind: "status", status: 503 } } },
      { when: { lastUser: "hello", model: "m" }, answer: { text: "hi" } },
    ],
  });
  expect((await post(model, "hello")).status).toBe(503);
  expect(await (await post(model, "hello")).json()).toMatchObject({
    system_fingerprint: "scripted",
    choices: [{ message: { content: "hi" } }],
  });
  const lost = await post(model, "something else");
  expect(lost.status).toBe(400);
  expect(await lost.text()).toContain("The script has no answer for turn 0 of user: something else");
  const models = await fetch(`${model.baseUrl}/models`);
  expect(models.headers.get("x-stepfall-scripted")).toBe("true");
  expect(await models.json()).toMatchObject({ data: [{ id: "scripted", owned_by: "scripted" }] });
});

test("a function may answer, and usage may be scripted or left out", async () => {
  const model = await start(({ messages, tools }) => ({
    text: `${messages.length} ${tools.join()}`,
    usage: messages[0]?.content === "none" ? "none" : { promptTokens: 10, cachedTokens: 4, completionTokens: 3 },
  }));
  expect(await (await post(model, "x")).json()).toMatchObject({
    usage: { prompt_tokens: 10, completion_tokens: 3, total_tokens: 13, prompt_tokens_details: { cached_tokens: 4 } },
  });
  expect(await (await post(model, "none")).json()).not.toHaveProperty("usage");
  expect(await (await post(model, "x", { stream: true })).text()).not.toContain('"usage"');
  expect(model.served().map((s) => s.usageReported)).toEqual([true, false, false]);
});

test("as a process of its own it tells its port, counts what it served, and stops when told", async () => {
  const folder = await mkdtemp(join(tmpdir(), "stepfall-scripted-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const scriptFile = join(folder, "script.json");
  await writeFile(scriptFile, JSON.stringify({ rules: [{ answer: { text: "from the process" } }] }));
  const model = await spawnScriptedModel({ scriptFile });
  expect(await (await post(model, "x")).text()).toContain("from the process");
  expect(await model.served()).toMatchObject([{ n: 1, outcome: "completed", completionTokens: countTokens("from the process") }]);
  await model.stop();
  await expect(post(model, "x")).rejects.toThrow();
  await writeFile(scriptFile, "{}");
  await expect(spawnScriptedModel({ scriptFile })).rejects.toThrow(/did not start/);
});

test("a tool of a group is called as codex wants it: its name and its group apart", async () => {
  const model = await start({ rules: [{ answer: { toolCalls: [{ name: "mcp__files__read", arguments: {} }] } }] });
  const ask = async (tools: unknown): Promise<unknown> => {
    const body = JSON.stringify({ model: "m", input: "go", tools });
    const { output } = (await (await fetch(`${model.baseUrl}/responses`, { method: "POST", body })).json()) as { output: unknown };
    return output;
  };
  const group = { type: "namespace", name: "mcp__files", tools: [{ type: "function", name: "read" }] };
  expect(await ask([group])).toMatchObject([{ type: "function_call", name: "read", namespace: "mcp__files" }]);
  expect(await ask([{ type: "function", name: "mcp__files__read" }])).toMatchObject([{ type: "function_call", name: "mcp__files__read" }]);
});
