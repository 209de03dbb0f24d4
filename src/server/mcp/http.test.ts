import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import type { Control } from "../../control/index.ts";
import { mcpEndpoint } from "./http.ts";

const all = { steer: true, answer: true, approve: true };
const open = new Set<() => void>();
afterEach(() => {
  for (const close of open) close();
  open.clear();
});

async function serving(control: Partial<Control>) {
  const errors: Error[] = [];
  const clock = { now: () => Date.now() };
  const endpoint = mcpEndpoint({ control: control as Control, clock, version: "1", onError: (error) => void errors.push(error) });
  const server = createServer((request, response) => void endpoint.handle(request, response, all)).listen(0, "127.0.0.1");
  open.add(() => server.close().closeAllConnections());
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`;
  const json = { "content-type": "application/json", accept: "application/json, text/event-stream" };
  const send = async (body: string, headers: Record<string, string> = json): Promise<{ status: number; text: string }> => {
    const response = await fetch(url, { method: "POST", headers, body });
    return { status: response.status, text: await response.text() };
  };
  const call = (name: string, input: object) =>
    send(JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params: { name, arguments: input } }));
  return { send, call, errors, json };
}

test("what a client does wrong is told to the client, and not reported as a fault of ours", async () => {
  const { send, call, errors, json } = await serving({});
  const modern = { ...json, "mcp-protocol-version": "2026-07-28" };
  const list = '{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{}}';
  for (const [body, headers] of [
    ["{ not json", json],
    ['{"jsonrpc":"1.0"}', json],
    ["[]", json],
    [list, { ...json, "content-type": "text/plain" }],
    [list, { "content-type": "application/json", accept: "text/html" }],
    [list, { ...json, "mcp-protocol-version": "2099-01-01" }],
    [list, { ...modern, "mcp-method": "tools/call" }],
    ['{"jsonrpc":"2.0","id":1,"method":"no/such","params":{}}', json],
  ] as const) {
    const { status, text } = await send(body, headers);
    expect([status >= 400, text.includes('"error"')], `${body} ${JSON.stringify(headers)}: ${status} ${text}`).toContain(true);
    expect(status, text).toBeLessThan(500);
  }
  expect((await call("no_such_tool", {})).text).toContain("no_such_tool");
  expect((await call("get_run", { run: 5 })).text).toContain("run");
  expect(errors.map(String)).toEqual([]);
});

test("a fault of ours is reported once, and the client is told no more than that there was one", async () => {
  const { call, errors } = await serving({ run: () => Promise.reject(new TypeError("x is undefined at /home/anna/secret.ts")) });
  const { text } = await call("get_run", { run: "r" });
  expect(text).toContain("INTERNAL");
  expect(text).not.toContain("/home/anna");
  expect(errors.map(String)).toEqual(["TypeError: x is undefined at /home/anna/secret.ts"]);
});

test("a client gone wild is slowed down where it changes things, and may look on", async () => {
  let count = 0;
  const { call } = await serving({
    run: (runId: string) => Promise.resolve({ runId }) as never,
    cancel: (_, runId) => ((count += 1), Promise.resolve({ runId })),
    inbox: () => Promise.resolve([]),
  });
  const said = await Promise.all(Array.from({ length: 100 }, () => call("cancel", { run: "r" })));
  expect(count).toBeLessThan(80);
  expect(said.filter(({ text }) => text.includes("TOO_MANY_CHANGES")).length).toBe(100 - count);
  expect((await call("inbox", {})).text).toContain("Nothing waits");
});
