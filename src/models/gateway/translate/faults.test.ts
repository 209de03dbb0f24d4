import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connectGateway } from "../connect.ts";
import type { GatewayClient, KeySpec, OpenKey, Protocol } from "../contract.ts";
import { asked, basesAt, bodyOf, clock, endProcess, protocols, scripted, send, spec, until, type Loose } from "../gateway.testkit.ts";
import { readSpool, type SettledCall } from "../spool.ts";
import type { ScriptedModel } from "../../scripted/index.ts";

const pairs = protocols.flatMap((agent) =>
  protocols.filter((upstream) => upstream !== agent).map((upstream) => [agent, upstream] as const),
);

let client: GatewayClient;
let home: string;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "stepfall-gateway-"));
  client = await connectGateway({ home, clock, tuning: { upstreamIdleMs: 20_000 } });
}, 60_000);
afterAll(async () => {
  await client.disconnect();
  await endProcess(client.pid);
  await rm(home, { recursive: true, force: true, maxRetries: 5 });
});

let attempts = 0;
const openAt = (model: ScriptedModel, upstream: Protocol): Promise<OpenKey> =>
  client.openKey(
    spec(model, { attempt: `run1/x#${(attempts += 1)}`, upstream: { bases: { [upstream]: basesAt(model.origin)[upstream] } } }),
  );

const settledOf = (attempt: number): SettledCall[] =>
  readSpool(client.spool).records.flatMap(({ record }) =>
    record.type === "settled" && record.attempt === `run1/x#${attempt}` ? [record] : [],
  );

/** An error's sentence, wherever the format has it. */
const sentenceOf = (body: Loose): string => body.error?.message ?? body.response?.error?.message ?? "";

describe.each(pairs)("from %s to %s", (agent, upstream) => {
  test("what the upstream has said is there while it still speaks, and an agent that goes away ends its call", async () => {
    const fault = { kind: "hang" as const, afterChunks: 3 };
    const model = await scripted({ rules: [{ answer: { text: "one two three four", fault } }] });
    const open = await openAt(model, upstream);
    const away = new AbortController();
    const response = await send(client.url, asked(agent, { stream: true }), { "x-api-key": open.key }, { signal: away.signal });
    expect(response.headers.get("content-type")).toContain("text/event-stream");
    expect(response.headers.get("x-stepfall-translated")).toContain(`${agent} to ${upstream}`);
    let heard = "";
    const decoder = new TextDecoder();
    for await (const bytes of response.body as AsyncIterable<Uint8Array>) {
      heard += decoder.decode(bytes, { stream: true });
      if (/one.*two.*three/s.test(heard)) break;
    }
    away.abort();
    expect(heard).not.toContain("four");
    await until(() => settledOf(attempts).length === 1);
    expect(settledOf(attempts)).toMatchObject([{ outcome: "cancelled" }]);
  }, 60_000);

  test("a stream that breaks off ends with an error that the agent's format has", async () => {
    const fault = { kind: "reset" as const, afterChunks: 2 };
    const model = await scripted({ rules: [{ answer: { text: "one two three four", chunkDelayMs: 5, fault } }] });
    const open = await openAt(model, upstream);
    const response = await send(client.url, asked(agent, { stream: true }), { "x-api-key": open.key });
    const events = (await response.text()).split("\n\n").filter((event) => event !== "");
    const last = JSON.parse((events.at(-1) ?? "").replace(/^(?:event: .*\n)?data: /, "")) as Loose;
    expect(sentenceOf(last)).toContain("big-model-2026");
    await until(() => settledOf(attempts).length === 1);
    expect(settledOf(attempts)).toMatchObject([{ outcome: "failed" }]);
  }, 60_000);

  test("an upstream's error comes in the agent's format, with its status and its sentence", async () => {
    const model = await scripted({ rules: [{ answer: { fault: { kind: "status", status: 404, message: "There is no such model." } } }] });
    const open = await openAt(model, upstream);
    const response = await send(client.url, asked(agent), { "x-api-key": open.key });
    expect(response.status).toBe(404);
    const body = await bodyOf(response);
    expect(sentenceOf(body)).toBe("There is no such model.");
    if (agent === "messages") expect(body).toMatchObject({ type: "error", error: { type: "not_found_error" } });
    if (agent === "gemini") expect(body.error).toMatchObject({ code: 404, status: "NOT_FOUND" });
  }, 60_000);
});

test("a call that depends on what lies at another provider is refused, and nothing is asked or charged", async () => {
  const model = await scripted({ rules: [] });
  const open = await openAt(model, "chat");
  const { path, body } = asked("responses");
  const refused = await send(client.url, { path, body: { ...body, previous_response_id: "resp_1" } }, { "x-api-key": open.key });
  expect(refused.status).toBe(400);
  const { error } = await bodyOf(refused);
  expect(error).toMatchObject({ code: "not_translatable", param: "previous_response_id" });
  expect(error.message).toContain("from responses to chat");
  expect(model.served()).toEqual([]);
  expect(await client.closeKey(open.key)).toMatchObject({ calls: 0, microUsd: 0, upstreamError: error.message });
});

test("tokens of a format that the upstream does not speak are counted here", async () => {
  const model = await scripted({ rules: [] });
  const open = await openAt(model, "chat");
  const headers = { "x-api-key": open.key };
  const counted = await bodyOf(await send(client.url, { path: "/v1/messages/count_tokens", body: asked("messages").body }, headers));
  expect(counted.input_tokens).toBeGreaterThan(3);
  const gemini = await bodyOf(await send(client.url, { path: "/v1beta/models/any:countTokens", body: asked("gemini").body }, headers));
  expect(gemini.totalTokens).toBeGreaterThan(3);
  expect(model.served()).toEqual([]);
});

test("a chain may cross formats: where the first provider fails, one that speaks another answers, and both are billed", async () => {
  const broken = await scripted({ rules: [{ answer: { fault: { kind: "status", status: 500 } } }] });
  const other = await scripted({ rules: [{ answer: { text: "I am here." } }] });
  const attempt = `run1/x#${(attempts += 1)}`;
  const at = (model: ScriptedModel, provider: string, protocol: Protocol): KeySpec["upstreams"][0] => ({
    ...spec(model).upstreams[0],
    provider,
    bases: { [protocol]: basesAt(model.origin)[protocol] },
  });
  const upstreams = [at(broken, "first", "messages"), at(other, "second", "chat")] as const;
  const open = await client.openKey({ ...spec(broken), attempt, upstreams: [...upstreams] });
  const response = await send(client.url, asked("messages", { stream: true }), { "x-api-key": open.key });
  const text = await response.text();
  expect(text).toMatch(/message_start.*text_delta.*I.*am.*here.*message_stop/s);
  await until(() => settledOf(attempts).length === 2);
  expect(settledOf(attempts).map(({ provider, outcome }) => [provider, outcome])).toEqual([
    ["first", "failed"],
    ["second", "ok"],
  ]);
});
