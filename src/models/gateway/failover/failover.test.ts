import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import type { GatewayClient, KeySpec, OpenKey, QuotaPolicy, Upstream } from "../contract.ts";
import { ask, bodyOf, gateway, price, scripted, spec, tempHome, upstreamKey } from "../gateway.testkit.ts";
import { troubledProviders } from "./provider-states.ts";
import { readSpool, type SettledCall } from "../spool.ts";
import type { ScriptedAnswer, ScriptedModel } from "../../scripted/index.ts";

/** A provider that gives one answer after the other, and the last one for ever. */
async function provider(...answers: ScriptedAnswer[]): Promise<ScriptedModel> {
  const left = [...answers];
  return scripted(() => (left.length > 1 ? left.shift() : left[0]));
}

const good = { text: "one two three" };
const slow = (seconds: number): ScriptedAnswer => ({
  fault: { kind: "status", status: 429, message: "slow down", retryAfterSeconds: seconds },
});
const upstream = (id: string, model: Pick<ScriptedModel, "baseUrl"> | string): Upstream => ({
  provider: id,
  baseUrl: typeof model === "string" ? model : model.baseUrl,
  apiKey: upstreamKey,
  model: `model-of-${id}`,
  price,
});
const chain = (first: Upstream, ...more: Upstream[]): KeySpec["upstreams"] => [first, ...more];
const policy: QuotaPolicy = { onLimit: "failover", holdMs: 3_000, mostMs: 3_600_000 };

const settled = (client: GatewayClient): [string, string, string][] =>
  readSpool(client.spool)
    .records.flatMap(({ record }): SettledCall[] => (record.type === "settled" ? [record] : []))
    .map((call) => [call.provider, call.outcome, call.provenance]);

const textOf = async (open: OpenKey, stream: boolean): Promise<string> => {
  const response = await ask(open, { stream });
  const text = await response.text();
  expect(response.status, text).toBe(200);
  return [...text.matchAll(/"content":"([^"]*)"/g)].map(([, said]) => said).join("");
};

const page = async (): Promise<string> => {
  const server = createServer((_, res) => res.writeHead(200, { "content-type": "text/html" }).end("<html>Welcome</html>"));
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
};

test("a provider that is down, fails, hangs, breaks off or talks nonsense is followed by the next, and the agent sees one whole answer", async () => {
  const client = await gateway({ home: await tempHome(), tuning: { firstByteMs: 1_500, upstreamIdleMs: 1_500 } });
  const second = await provider(good);
  // Its first answer takes longer than those below may: it counts tokens.
  const headers = { authorization: `Bearer ${upstreamKey}` };
  const first = await fetch(`${second.baseUrl}/chat/completions`, {
    method: "POST",
    headers,
    body: JSON.stringify({ model: "model-of-second", messages: [{ role: "user", content: "hello" }] }),
  });
  expect(first.status).toBe(200);
  const failing: [string, string | ScriptedModel, boolean, [outcome: string, provenance: string]][] = [
    ["refused", "http://127.0.0.1:1/v1", true, ["failed", "reported"]],
    ["5xx", await provider({ fault: { kind: "status", status: 503 } }), false, ["failed", "estimated"]],
    ["reset", await provider({ fault: { kind: "reset" } }), true, ["failed", "unknown"]],
    ["hang", await provider({ fault: { kind: "hang" } }), false, ["failed", "unknown"]],
    ["silent", await provider({ ...good, fault: { kind: "hang", afterChunks: 0 } }), true, ["failed", "estimated"]],
    [
      "torn",
      await provider({ ...good, fault: { kind: "malformed", afterChunks: 0 } }),
      true,
      ["failed", expect.stringMatching(/estimated|reported/) as string],
    ],
    ["page", await page(), false, ["failed", "unknown"]],
  ];
  for (const [id, model, stream, how] of failing) {
    const open = await client.openKey(
      spec("", { attempt: `run1/${id}#1`, upstreams: chain(upstream(id, model), upstream("second", second)) }),
    );
    expect(await textOf(open, stream), id).toBe("one two three");
    expect(await client.closeKey(open.key)).toMatchObject({ calls: 2 });
    expect(settled(client).slice(-2), id).toEqual([
      [id, ...how],
      ["second", "ok", "reported"],
    ]);
  }
  expect(second.served().every((call) => call.model === "model-of-second")).toBe(true);
});

test("what an upstream says of the request itself is the agent's, and nobody else is asked", async () => {
  const client = await gateway({ home: await tempHome() });
  const first = await provider({ fault: { kind: "status", status: 400, message: "no such parameter" } });
  const second = await provider(good);
  const open = await client.openKey(spec("", { upstreams: chain(upstream("first", first), upstream("second", second)) }));
  const answer = await ask(open, {});
  expect([answer.status, (await bodyOf(answer)).error.message]).toEqual([400, "no such parameter"]);
  expect(second.served()).toEqual([]);
});

test("a stream that dies in the middle ends with an error, and the agent's next call, or its step's next attempt, goes elsewhere", async () => {
  const client = await gateway({ home: await tempHome() });
  const first = await provider({ text: "a b c d e f", chunkDelayMs: 20, fault: { kind: "reset", afterChunks: 3 } });
  const second = await provider(good);
  const upstreams = chain(upstream("first", first), upstream("second", second));
  const open = await client.openKey(spec("", { upstreams }));
  const broken = await (await ask(open, { stream: true })).text();
  expect(broken).toContain("stream_interrupted");
  expect(broken).not.toContain("[DONE]");
  expect(await textOf(open, true)).toBe("one two three");
  await client.closeKey(open.key);
  const next = await client.openKey(spec("", { attempt: "run1/build#2", upstreams }));
  expect(await textOf(next, true)).toBe("one two three");
  // Another step has no reason to think ill of it.
  const other = await client.openKey(spec("", { attempt: "run1/other#1", upstreams }));
  expect(await (await ask(other, { stream: true })).text()).toContain("stream_interrupted");
  await Promise.all([next, other].map(({ key }) => client.closeKey(key)));
  expect(settled(client).map(([id, outcome]) => `${id} ${outcome}`)).toEqual(["first failed", "second ok", "second ok", "first failed"]);
});

test("three failures open a provider's breaker for everybody, one probe finds out that it is back, and all can be seen", async () => {
  const home = await tempHome();
  const client = await gateway({ home, tuning: { breakerOpenMs: 400 } });
  let isUp = false;
  const first = await scripted(() => (isUp ? { ...good, firstDelayMs: 200 } : { fault: { kind: "status", status: 500 } }));
  const second = await provider({ text: "instead" });
  const upstreams = chain(upstream("first", first), upstream("second", second));
  const open = (step: string): Promise<OpenKey> => client.openKey(spec("", { attempt: `run1/${step}#1`, upstreams }));
  for (const step of ["a", "b", "c", "d"]) expect(await textOf(await open(step), false)).toBe("instead");
  expect(first.served().length).toBe(3);
  expect(await client.providers()).toMatchObject([
    { provider: "first", breaker: "open", failuresInRow: 3, lastFailure: expect.stringContaining("HTTP 500 from first") as string },
    { provider: "second", breaker: "closed" },
  ]);
  expect(troubledProviders(home, Date.now())).toMatchObject([{ provider: "first", breaker: "open" }]);
  isUp = true;
  await sleep(450);
  const keys = await Promise.all(["e", "f", "g", "h"].map(open));
  const texts = await Promise.all(keys.map((key) => textOf(key, false)));
  expect(texts.toSorted()).toEqual(["instead", "instead", "instead", "one two three"]);
  expect(first.served().length).toBe(4);
  expect(await client.providers()).toMatchObject([{ provider: "first", breaker: "closed" }, {}]);
  expect(await textOf(await open("i"), false)).toBe("one two three");
});

test("where every breaker is open a call waits for the first to be tried again, and is told when that takes too long", async () => {
  const client = await gateway({ home: await tempHome(), tuning: { breakerOpenMs: 300 } });
  let isUp = false;
  const only = await scripted(() => (isUp ? good : { fault: { kind: "status", status: 500 } }));
  const open = await client.openKey(spec("", { upstreams: chain(upstream("only", only)) }));
  for (let i = 0; i < 3; i++) expect((await ask(open, {})).status).toBe(500);
  isUp = true;
  expect(await textOf(open, false)).toBe("one two three");

  const hopeless = await gateway({ home: await tempHome(), tuning: { breakerOpenMs: 60_000 } });
  const key = await hopeless.openKey(spec("", { upstreams: chain(upstream("gone", "http://127.0.0.1:1/v1")) }));
  for (let i = 0; i < 3; i++) expect((await ask(key, {})).status).toBe(502);
  const told = await ask(key, {});
  expect([told.status, (await bodyOf(told)).error]).toMatchObject([503, { code: "provider_unavailable" }]);
  expect(await hopeless.closeKey(key.key)).toMatchObject({ calls: 3, microUsd: 0 });
});

test("a short limit is waited for within the call; only the answer costs", async () => {
  const client = await gateway({ home: await tempHome() });
  const first = await provider(slow(1), slow(0), good);
  const second = await provider({ text: "instead" });
  const upstreams = chain(upstream("first", first), upstream("second", second));
  const open = await client.openKey(spec("", { upstreams, quota: policy }));
  const began = Date.now();
  expect(await textOf(open, true)).toBe("one two three");
  expect(Date.now() - began).toBeGreaterThan(900);
  expect(second.served()).toEqual([]);
  expect(await client.closeKey(open.key)).toMatchObject({ calls: 3, microUsd: expect.any(Number) as number });
  expect((await client.closeKey(open.key)).quota).toBeUndefined();
});

test("a long limit goes to the next upstream, for all keys of that account, until nobody is left: then the attempt is told when", async () => {
  const client = await gateway({ home: await tempHome() });
  const first = await provider(slow(600));
  const second = await provider(good, slow(300));
  const upstreams = chain(upstream("first", first), upstream("second", second));
  const open = await client.openKey(spec("", { upstreams, quota: policy }));
  const began = Date.now();
  expect(await textOf(open, false)).toBe("one two three");
  const refused = await ask(open, {});
  expect([refused.status, (await bodyOf(refused)).error]).toMatchObject([402, { code: "quota_exhausted", type: "quota_exhausted" }]);
  expect(refused.headers.get("x-should-retry")).toBe("false");
  // Nobody is asked any more, by no key.
  const other = await client.openKey(spec("", { attempt: "run1/other#1", upstreams, quota: policy }));
  expect((await ask(other, {})).status).toBe(402);
  expect([first.served().length, second.served().length]).toEqual([1, 2]);
  const usage = await client.closeKey(open.key);
  expect(usage).toMatchObject({ calls: 3, quota: { provider: "second", model: "model-of-second" } });
  expect(Math.abs((usage.quota?.retryAt ?? 0) - began - 300_000)).toBeLessThan(20_000);
  expect(await client.closeKey(other.key)).toMatchObject({ calls: 0, quota: { provider: "second" } });
  expect(await client.providers()).toMatchObject([{ limits: [{ model: "model-of-first" }] }, { limits: [{ model: "model-of-second" }] }]);
});

test("what is done at a limit is a setting: wait asks nobody else, fail and off pass the error on, and most bounds the wait", async () => {
  const client = await gateway({ home: await tempHome() });
  const statusOf = async (id: string, quota: QuotaPolicy | undefined): Promise<[number, unknown, number]> => {
    const second = await provider(good);
    const upstreams = chain(upstream(id, await provider(slow(600))), upstream(`${id}-second`, second));
    const open = await client.openKey(spec("", { attempt: `run1/${id}#1`, upstreams, ...(quota && { quota }) }));
    const { status } = await ask(open, {});
    return [status, (await client.closeKey(open.key)).quota?.provider, second.served().length];
  };
  expect(await statusOf("failover", policy)).toEqual([200, undefined, 1]);
  expect(await statusOf("wait", { ...policy, onLimit: "wait" })).toEqual([402, "wait", 0]);
  expect(await statusOf("fail", { ...policy, onLimit: "fail" })).toEqual([429, undefined, 0]);
  expect(await statusOf("off", undefined)).toEqual([429, undefined, 0]);
  expect(await statusOf("most", { ...policy, onLimit: "wait", mostMs: 60_000 })).toEqual([429, undefined, 0]);
});

test("closing a key ends a call that is held for a limit", async () => {
  const client = await gateway({ home: await tempHome() });
  const first = await provider(slow(30), good);
  const open = await client.openKey(spec("", { upstreams: chain(upstream("first", first)), quota: { ...policy, holdMs: 60_000 } }));
  const held = ask(open, {});
  while (settled(client).length === 0) await sleep(20);
  const began = Date.now();
  expect(await client.closeKey(open.key)).toMatchObject({ calls: 1, microUsd: 0 });
  expect((await held).status).toBe(401);
  expect(Date.now() - began).toBeLessThan(10_000);
  expect(first.served().length).toBe(1);
});

test("each upstream is reserved at its own price: a budget that carries the local model does not carry the dear one after it", async () => {
  const client = await gateway({ home: await tempHome() });
  const second = await provider(good);
  const free = { ...upstream("local", "http://127.0.0.1:1/v1"), price: { input: 0, cachedInput: 0, output: 0, source: "local" as const } };
  const upstreams = chain(free, upstream("dear", second));
  const tight = await client.openKey(spec("", { upstreams, budgets: [{ id: "run:run1", limit: 10, spent: 0 }] }));
  const refused = await ask(tight, {});
  expect([refused.status, (await bodyOf(refused)).error.code]).toEqual([402, "budget_exhausted"]);
  expect(second.served()).toEqual([]);
  expect((await client.closeKey(tight.key)).exhausted).toMatchObject({ id: "run:run1" });
  const enough = await client.openKey(
    spec("", { attempt: "run1/b#1", upstreams, budgets: [{ id: "run:run2", limit: 1_000_000, spent: 0 }] }),
  );
  expect(await textOf(enough, false)).toBe("one two three");
  const [call] = second.served();
  expect((await client.closeKey(enough.key)).microUsd).toBe((call?.promptTokens ?? 0) + 2 * (call?.completionTokens ?? 0));
});
