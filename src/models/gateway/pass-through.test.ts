import { createAnthropic } from "@ai-sdk/anthropic";
import { generateText } from "ai";
import { expect, onTestFinished, test } from "vitest";
import { startScriptedModel, type ScriptFunction, type ScriptedRequest } from "../scripted/index.ts";
import { usageFromSpool } from "./key-usage.ts";
import { keyIdOf } from "./keys.ts";
import { costOf, priceOf } from "./prices.ts";
import { readSpool } from "./spool.ts";
import { asked, basesAt, bodyOf, everyFile, gateway, protocols, send, spec, tempHome, upstreamKey } from "./gateway.testkit.ts";

const login = "sk-ant-oat01-the-agents-own-login-0123456789";

async function start(answer: ScriptFunction) {
  const seen: ScriptedRequest[] = [];
  const model = await startScriptedModel({
    script: (request) => {
      seen.push(request);
      return answer(request);
    },
  });
  onTestFinished(() => model.close());
  const home = await tempHome();
  const client = await gateway({ home });
  const change = { upstream: { provider: "anthropic", bases: basesAt(model.origin) }, credentials: "pass-through" as const };
  return { model, seen, home, client, keySpec: spec(model, change) };
}

test("the agent's own login and model go out, and neither our key nor the gateway's", async () => {
  const { seen, client, keySpec } = await start(() => ({ text: "yes" }));
  const open = await client.openKey(keySpec);
  const own = { authorization: `Bearer ${login}`, "anthropic-beta": "oauth-2025-04-20,fast-mode-x", "x-app": "cli", cookie: "a=b" };
  for (const protocol of protocols)
    expect((await send(`${client.url}/k/${open.key}`, asked(protocol, { model: "own-choice" }), own)).status).toBe(200);
  // A key in a header is found, too, and taken out.
  expect((await send(client.url, asked("messages"), { ...own, "x-api-key": open.key })).status).toBe(200);
  expect(seen.map((r) => r.model)).toEqual(["own-choice", "own-choice", "own-choice", "own-choice", "my-name"]);
  for (const { headers } of seen) expect(headers).toMatchObject(own);
  for (const secret of [upstreamKey, open.key]) expect(JSON.stringify(seen.map((r) => [r.headers, r.body]))).not.toContain(secret);
});

test("a login is written nowhere, whatever the upstream says of it", async () => {
  const { home, client, keySpec } = await start(({ messages }) => {
    const status = Number(messages.at(-1)?.content);
    if (status === 0) return { text: "fine" };
    return { fault: { kind: "status", status, message: `bad key ${login}, that is ${login.slice(0, 20)}...` } };
  });
  const open = await client.openKey(keySpec);
  const places = [
    ["authorization", `Bearer ${login}`],
    ["x-api-key", login],
    ["x-goog-api-key", login],
  ] as const;
  for (const [name, value] of places)
    for (const text of ["0", "401", "403"])
      for (const protocol of protocols)
        await (await send(`${client.url}/k/${open.key}`, asked(protocol, { text, stream: true }), { [name]: value })).text();
  for (const text of ["400", "500"])
    await (await send(`${client.url}/k/${open.key}`, asked("messages", { text }), { authorization: `Bearer ${login}` })).text();
  const usage = await client.closeKey(open.key);
  expect(usage).toMatchObject({ calls: 38, credentials: "pass-through" });
  const errors = readSpool(client.spool).records.flatMap(({ record }) => (record.type === "settled" && record.error ? [record.error] : []));
  expect(errors).toContain("HTTP 401 from anthropic (my-name): it refuses the agent's own login");
  expect(errors).toContain("HTTP 500 from anthropic (my-name), asked with the agent's own login");
  for (const file of await everyFile(home)) {
    expect(file.bytes.includes(login.slice(0, 20)), file.path).toBe(false);
  }
});

test("the bill prices the model really asked for, and bears the mode", async () => {
  const { model, client, keySpec } = await start(() => ({
    text: "yes",
    usage: { promptTokens: 10_000, cachedTokens: 4_000, cacheWriteTokens: 3_000, completionTokens: 200 },
  }));
  const open = await client.openKey(keySpec);
  const own = createAnthropic({ baseURL: `${client.url}/k/${open.key}/v1`, authToken: login });
  await generateText({ model: own("claude-haiku-4-5"), prompt: "hello", maxOutputTokens: 400 });
  await send(`${client.url}/k/${open.key}`, asked("messages", { model: "nobody-knows-it" }), { authorization: `Bearer ${login}` });
  const usage = await client.closeKey(open.key);
  const rows = readSpool(client.spool).records.flatMap(({ record }) => (record.type === "settled" ? [record] : []));
  const tokens = { inputTokens: 10_000, cachedInputTokens: 4_000, cacheWriteTokens: 3_000, outputTokens: 200 };
  const microUsd = costOf(tokens, priceOf("anthropic", "claude-haiku-4-5"));
  // 3,000 at 1 dollar, 4,000 at 0.1, 3,000 at 1.25, 200 at 5.
  expect(microUsd).toBe(8_150);
  expect(rows).toMatchObject([
    { model: "claude-haiku-4-5", credentials: "pass-through", provenance: "reported", microUsd, ...tokens },
    { model: "nobody-knows-it", credentials: "pass-through", provenance: "unknown", microUsd: 0, ...tokens },
  ]);
  expect(usage).toMatchObject({ calls: 2, microUsd, provenance: "unknown", credentials: "pass-through" });
  // As a gateway that was started again would tell it.
  expect(usageFromSpool(client.spool, keyIdOf(open.key))).toEqual(usage);
  expect(model.served().map((s) => s.model)).toEqual(["claude-haiku-4-5", "nobody-knows-it"]);
});

test("under a budget a call without a known price does not go out, also with a login of the agent's own", async () => {
  const { model, client, keySpec } = await start(() => ({ text: "yes" }));
  const open = await client.openKey({ ...keySpec, budgets: [{ id: "run:run1", limit: 1_000_000, spent: 0 }] });
  const url = `${client.url}/k/${open.key}`;
  const refused = await send(url, asked("messages", { model: "nobody-knows-it" }), { authorization: `Bearer ${login}` });
  expect(refused.status).toBe(402);
  expect((await bodyOf(refused)).error.message).toContain("No price is known for nobody-knows-it at anthropic");
  expect((await send(url, asked("messages", { model: "claude-haiku-4-5" }), { authorization: `Bearer ${login}` })).status).toBe(200);
  expect(model.served()).toHaveLength(1);
});

test("a tool the provider charges for goes out with the agent's own login only, and its money is unknown", async () => {
  const { model, client, keySpec } = await start(() => ({ text: "yes" }));
  const search = asked("messages", { model: "claude-haiku-4-5" });
  search.body.tools = [{ type: "web_search_20250305", name: "web_search" }];
  const open = await client.openKey(keySpec);
  expect((await send(`${client.url}/k/${open.key}`, search, { authorization: `Bearer ${login}` })).status).toBe(200);
  expect(await client.closeKey(open.key)).toMatchObject({ calls: 1, provenance: "unknown" });
  const metered = await client.openKey({ ...keySpec, credentials: "metered" });
  const refused = await send(client.url, search, { "x-api-key": metered.key });
  expect(refused.status).toBe(400);
  expect((await bodyOf(refused)).error.message).toContain("web_search_20250305 is not supported yet");
  expect(model.served()).toHaveLength(1);
});

test("what the upstream tells in headers reaches an agent with its own login, but no cookie", async () => {
  const { client, keySpec } = await start(() => ({ fault: { kind: "status", status: 429, retryAfterSeconds: 7 } }));
  const open = await client.openKey(keySpec);
  const answer = await send(`${client.url}/k/${open.key}`, asked("messages"), { authorization: `Bearer ${login}` });
  expect([answer.status, answer.headers.get("retry-after"), answer.headers.get("x-stepfall-scripted")]).toEqual([429, "7", "true"]);
  expect(await bodyOf(answer)).toMatchObject({ type: "error", error: { type: "rate_limit_error", message: "Scripted error 429." } });
});
