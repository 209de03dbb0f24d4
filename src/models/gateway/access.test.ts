import { request } from "node:http";
import { statSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ask, bodyOf, everyFile, gateway, scripted, spec, tempHome, until, upstreamKey } from "./gateway.testkit.ts";
import { gatewayPaths } from "./folder.ts";
import { readRecord } from "./record.ts";

const status = (url: string, headers: Record<string, string>, body?: string, method = "POST"): Promise<number> =>
  new Promise((resolve, reject) => {
    const req = request(url, { method, headers }, (res) => {
      res.resume();
      res.once("end", () => resolve(res.statusCode ?? 0));
    });
    req.once("error", reject);
    req.end(body);
  });

test("the upstream's key is in no file of the home, no answer and no header", async () => {
  const home = await tempHome();
  const answer = { text: `my key is ${upstreamKey} ok` };
  const model = await scripted({
    rules: [
      { when: { lastUser: "bad" }, answer: { fault: { kind: "status", status: 401, message: upstreamKey } } },
      { when: { lastUser: "hang" }, answer: { fault: { kind: "hang" } } },
      { answer },
    ],
  });
  const client = await gateway({ home, tuning: { firstByteMs: 300 } });
  const headers = { "x-second-secret": "another-secret-98765" };
  const open = await client.openKey(spec(model, { upstream: { headers } }));
  const seen: string[] = [JSON.stringify(open)];
  const look = async (response: Response): Promise<void> => {
    seen.push(JSON.stringify([...response.headers]), await response.text());
  };
  for (const content of ["say it", "bad", "hang"])
    for (const stream of [true, false]) await look(await ask(open, { stream, messages: [{ role: "user", content }] }));
  await look(await fetch(`${open.url}/models`, { headers: { authorization: `Bearer ${open.key}` } }));
  await look(await fetch(`${client.url}/admin/keys`, { method: "POST", body: JSON.stringify(spec(model)) }));
  const admin = { authorization: `Bearer ${readRecord(gatewayPaths(home))?.adminToken}` };
  await look(
    await fetch(`${client.url}/admin/keys`, { method: "POST", headers: admin, body: JSON.stringify({ ...spec(model), tier: 1 }) }),
  );
  await look(await fetch(`${client.url}/admin/status`, { headers: admin }));
  seen.push(JSON.stringify(await client.closeKey(open.key)));
  expect(model.served().length).toBe(6);
  expect(seen.join("\n")).toContain("[masked]");
  const files = await everyFile(home);
  expect(files.map((f) => f.path)).toContain(client.spool);
  for (const secret of [upstreamKey, headers["x-second-secret"], open.key]) {
    for (const text of secret === open.key ? [] : seen) expect(text).not.toContain(secret);
    for (const file of files) expect(file.bytes.includes(secret), file.path).toBe(false);
  }
  expect(statSync(join(home, "gateway")).mode & 0o777).toBe(0o700);
  for (const file of files) expect(statSync(file.path).mode & 0o077, file.path).toBe(0);
});

test("the key of one attempt opens nothing else: not another's, not the admin's doors", async () => {
  const home = await tempHome();
  const model = await scripted({ rules: [{ answer: { text: "yes" } }] });
  const client = await gateway({ home });
  const mine = await client.openKey(spec(model, { attempt: "run1/a#1" }));
  const other = await client.openKey(spec(model, { attempt: "run1/b#1" }));
  const as = (key: string) => ({ authorization: `Bearer ${key}`, "content-type": "application/json" });
  for (const path of ["/admin/keys/close", "/admin/keys", "/admin/shutdown", "/admin/hello"])
    expect(await status(client.url + path, as(mine.key), JSON.stringify({ key: other.key }))).toBe(401);
  expect(await status(`${client.url}/v1/models`, as(`${mine.key}x`), undefined, "GET")).toBe(401);
  expect(await status(`${client.url}/v1/models`, {}, undefined, "GET")).toBe(401);
  expect((await ask(mine, {})).status).toBe(200);
  expect(await client.closeKey(mine.key)).toMatchObject({ calls: 1 });
  expect((await ask(mine, {})).status).toBe(401);
  expect((await ask(other, {})).status).toBe(200);
  expect(await client.closeKey(other.key)).toMatchObject({ calls: 1 });
});

test("a forged Host is refused before anything is looked at", async () => {
  const home = await tempHome();
  const model = await scripted({ rules: [{ answer: { text: "yes" } }] });
  const client = await gateway({ home });
  const open = await client.openKey(spec(model));
  const { port } = new URL(client.url);
  const get = (host: string) => status(`${open.url}/models`, { authorization: `Bearer ${open.key}`, host }, undefined, "GET");
  expect(await get(`evil.example:${port}`)).toBe(421);
  expect(await get("127.0.0.1")).toBe(421);
  expect(await get(`localhost:${port}`)).toBe(200);
});

test("a body that is too large is refused, announced or not, and nothing is sent upstream", async () => {
  const home = await tempHome();
  const model = await scripted({ rules: [{ answer: { text: "yes" } }] });
  const client = await gateway({ home, tuning: { maxBodyBytes: 64 * 1024 } });
  const open = await client.openKey(spec(model));
  const headers = { authorization: `Bearer ${open.key}`, "content-type": "application/json" };
  const body = JSON.stringify({ messages: [{ role: "user", content: "x".repeat(200_000) }] });
  expect(await status(`${open.url}/chat/completions`, { ...headers, "content-length": String(body.length) }, body)).toBe(413);
  expect(await status(`${open.url}/chat/completions`, { ...headers, "transfer-encoding": "chunked" }, body)).toBe(413);
  expect((await ask(open, {})).status).toBe(200);
  expect(await client.closeKey(open.key)).toMatchObject({ calls: 1 });
  expect(model.served()).toHaveLength(1);
});

test("what the gateway does not speak is refused by name", async () => {
  const home = await tempHome();
  const model = await scripted({ rules: [{ answer: { text: "yes" } }] });
  const client = await gateway({ home });
  const open = await client.openKey(spec(model));
  const other = await fetch(`${open.url}/embeddings`, { method: "POST", headers: { authorization: `Bearer ${open.key}` }, body: "{}" });
  expect(other.status).toBe(404);
  expect((await bodyOf(other)).error.message).toContain("not supported yet");
  for (const body of [{ messages: "no" }, { max_tokens: -1 }, { n: 99 }, { web_search_options: {} }, { models: ["dearer"] }])
    expect((await ask(open, body)).status).toBe(400);
  expect((await ask(open, {}, { body: "{" })).status).toBe(400);
  await until(() => model.served().length === 0);
});

test("a request that was still arriving when its key was closed does not go out", async () => {
  const home = await tempHome();
  const model = await scripted({ rules: [{ answer: { text: "yes" } }] });
  const client = await gateway({ home });
  const open = await client.openKey(spec(model));
  const req = request(`${open.url}/chat/completions`, { method: "POST", headers: { authorization: `Bearer ${open.key}` } });
  const answered = new Promise<number>((resolve) => req.once("response", (res) => resolve(res.statusCode ?? 0)));
  req.write('{"messages":[{"role":"user",');
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(await client.closeKey(open.key)).toMatchObject({ calls: 0 });
  req.end('"content":"late"}]}');
  expect(await answered).toBe(401);
  expect(model.served()).toHaveLength(0);
});
