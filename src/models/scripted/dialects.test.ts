import { createAnthropic } from "@ai-sdk/anthropic";
import { createGoogleGenerativeAI } from "@ai-sdk/google";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { generateText, jsonSchema, stepCountIs, streamText, tool, type LanguageModel } from "ai";
import { expect, onTestFinished, test } from "vitest";
import { countTokens } from "../tokens.ts";
import { startScriptedModel, type ScriptedModel, type ScriptedModelOptions } from "./index.ts";

async function start(script: ScriptedModelOptions["script"], apiKey = "key"): Promise<ScriptedModel> {
  const model = await startScriptedModel({ script, apiKey });
  onTestFinished(() => model.close());
  return model;
}

const clients: Record<string, (model: ScriptedModel) => LanguageModel> = {
  chat: ({ baseUrl }) => createOpenAICompatible({ name: "scripted", baseURL: baseUrl, apiKey: "key", includeUsage: true })("any"),
  responses: ({ baseUrl }) => createOpenAI({ baseURL: baseUrl, apiKey: "key" }).responses("any"),
  messages: ({ baseUrl }) => createAnthropic({ baseURL: baseUrl, apiKey: "key" })("any"),
  gemini: ({ origin }) => createGoogleGenerativeAI({ baseURL: `${origin}/v1beta`, apiKey: "key" })("any"),
};

const read = tool({
  description: "reads a file",
  inputSchema: jsonSchema<{ path: string }>({ type: "object", properties: { path: { type: "string" } } }),
  execute: async ({ path }) => `content of ${path}`,
});

test.each(Object.entries(clients))(
  "one script drives the %s client through tools, streamed and not, with the usage it tells",
  async (name, client) => {
    const usage = { promptTokens: 100, cachedTokens: 40, completionTokens: 7 };
    const turns = [
      { text: "Let me look.", toolCalls: [{ name: "read", arguments: { path: "{{file}}" } }], usage },
      { text: "It is fine.", usage },
    ];
    const model = await start({
      rules: [{ when: { user: "check", tools: ["read"] }, capture: { file: "check (\\S+)" }, turns }],
    });
    const options = { model: client(model), system: "be brief", prompt: "check a.ts", tools: { read }, stopWhen: stepCountIs(4) };
    const whole = await generateText(options);
    expect(whole.text).toBe("It is fine.");
    expect(whole.steps[0]?.text).toBe("Let me look.");
    expect(whole.steps.flatMap((s) => s.toolResults.map((r) => r.output))).toEqual(["content of a.ts"]);
    expect(whole.steps.map((s) => s.finishReason)).toEqual(["tool-calls", "stop"]);
    const told = { inputTokens: 100, outputTokens: 7, inputTokenDetails: { cacheReadTokens: 40 } };
    expect(whole.steps.map((s) => s.usage)).toMatchObject([told, told]);
    const streamed = streamText(options);
    expect(await streamed.text).toBe("It is fine.");
    expect((await streamed.steps)[0]?.toolCalls).toMatchObject([{ toolName: "read", input: { path: "a.ts" } }]);
    expect((await streamed.steps).map((s) => s.usage)).toMatchObject([told, told]);
    const told4 = [false, false, true, true].map((stream) => [name, stream, "completed", true, 100, 40, 7]);
    expect(
      model.served().map((s) => [s.dialect, s.stream, s.outcome, s.usageReported, s.promptTokens, s.cachedTokens, s.completionTokens]),
    ).toEqual(told4);
    expect(model.served()[3]?.sentTokens).toBe(countTokens("It is fine."));
  },
);

test.each(Object.entries(clients))("what goes wrong reaches the %s client as an error of its format", async (_, client) => {
  const model = await start({
    rules: [
      { times: 1, answer: { fault: { kind: "status", status: 429, message: "slow down" } } },
      { answer: { text: "one two three", fault: { kind: "reset", afterChunks: 1 } } },
    ],
  });
  const options = { model: client(model), prompt: "?", maxRetries: 0 };
  await expect(generateText(options)).rejects.toThrow("slow down");
  const streamed = streamText({ ...options, onError: () => undefined });
  await streamed.consumeStream();
  // The clients word it differently, but none takes it for a whole answer.
  expect(await Promise.resolve(streamed.finishReason).catch(() => "error")).not.toBe("stop");
  expect(model.served().map((s) => s.outcome)).toEqual(["error", "reset"]);
});

test("a custom tool of the responses format gets its call as text", async () => {
  const model = await start({ rules: [{ answer: { toolCalls: [{ name: "apply_patch", arguments: { input: "*** Begin" } }] } }] });
  const body = { model: "m", stream: true, input: [{ role: "user", content: "go" }], tools: [{ type: "custom", name: "apply_patch" }] };
  const answer = await post(model, "/v1/responses", body);
  const done = (await answer.text()).split("\n").find((line) => line.includes('"response.completed"') && line.startsWith("data"));
  expect(JSON.parse(done?.slice(6) ?? "")).toMatchObject({
    response: { status: "completed", output: [{ type: "custom_tool_call", name: "apply_patch", input: "*** Begin" }] },
  });
});

test("what an agent asks on the side does it no harm, and takes nothing from the script", async () => {
  const model = await start({ rules: [{ when: { tools: ["Write"] }, times: 1, turns: [{ text: "the work" }] }] });
  const question = { model: "small", messages: [{ role: "user", content: "Write a title" }] };
  expect(await (await post(model, "/v1/messages", question)).json()).toMatchObject({ content: [{ text: "ok" }] });
  const responseJsonSchema = {
    type: "object",
    properties: { reasoning: { type: "string" }, next_speaker: { type: "string", enum: ["user", "model"] } },
  };
  const next = { contents: [{ parts: [{ text: "who?" }] }], generationConfig: { responseJsonSchema } };
  const asked = (await (await post(model, "/v1beta/models/flash:generateContent", next)).json()) as {
    candidates: { content: { parts: { text: string }[] } }[];
  };
  expect(JSON.parse(asked.candidates[0]?.content.parts[0]?.text ?? "")).toEqual({ reasoning: "", next_speaker: "user" });
  const work = { ...question, tools: [{ name: "Write", input_schema: {} }] };
  expect(await (await post(model, "/v1/messages", work)).json()).toMatchObject({ content: [{ text: "the work" }] });
  expect((await post(model, "/v1/messages", work)).status).toBe(400);
});

test("tokens are counted ahead where the format has a question for it; a key is taken from any of its places", async () => {
  const model = await start({ rules: [{ answer: { text: "hi" } }] });
  const messages = [{ role: "user", content: "hello there" }];
  const counted = (await (await post(model, "/v1/messages/count_tokens", { model: "m", messages })).json()) as { input_tokens: number };
  const contents = [{ role: "user", parts: [{ text: "hello there" }] }];
  const gemini = (await (await post(model, "/v1beta/models/m:countTokens?key=key", { contents }, {})).json()) as { totalTokens: number };
  expect([counted.input_tokens > 5, gemini.totalTokens > 5, model.served().length]).toEqual([true, true, 0]);
  expect((await post(model, "/v1/messages", { model: "m", messages }, { authorization: "Bearer wrong" })).status).toBe(401);
  expect((await post(model, "/v1beta/models/m:generateContent", { contents }, { "x-goog-api-key": "key" })).status).toBe(200);
});

const post = (
  model: ScriptedModel,
  path: string,
  body: unknown,
  headers: Record<string, string> = { "x-api-key": "key" },
): Promise<Response> => fetch(model.origin + path, { method: "POST", headers, body: JSON.stringify(body) });
