import { setTimeout as sleep } from "node:timers/promises";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { expect, test } from "vitest";
import { runToolLimits, runTools } from "../../../domain/index.ts";
import { childrenOf, gateway, scripted, spec, tempHome, until } from "../gateway.testkit.ts";
import type { GatewayClient, OpenKey } from "../contract.ts";
import type { AgentRequest, RequestServer } from "./contract.ts";

const slow = 180_000;
const nobody = { rules: [{ answer: { text: "no model is asked here" } }] };

const ask = (open: OpenKey, question: string, id?: string): Promise<string> => callTool(open, "ask", JSON.stringify({ question }), id);

/** The answer of a tool as its text, by plain HTTP, with an id of the agent's own where one is given. `input`: JSON. */
async function callTool(open: OpenKey, tool: string, input: string, id?: string): Promise<string> {
  const meta = id ? `,"_meta":{"stepfall/request":"${id}"}` : "";
  const response = await fetch(open.mcp ?? "", {
    method: "POST",
    headers: { "content-type": "application/json", accept: "application/json, text/event-stream" },
    body: `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"${tool}","arguments":${input}${meta}}}`,
  });
  const data = /^data: (.*)$/m.exec(await response.text())?.[1] ?? "{}";
  const { result } = JSON.parse(data) as { result: { content: { text: string }[]; isError?: boolean } };
  return `${result.isError ? "! " : ""}${result.content[0]?.text}`;
}

interface Noted extends RequestServer {
  asked: AgentRequest[];
  heard: boolean[];
}

function server(answer: (request: AgentRequest) => Promise<string | undefined>): Noted {
  const noted: Noted = {
    asked: [],
    heard: [],
    async answer(request) {
      noted.asked.push(request);
      const text = await answer(request);
      return text === undefined ? undefined : { text };
    },
    replied: (_, isHeard) => void noted.heard.push(isHeard),
  };
  return noted;
}

const openFor = async (client: GatewayClient, attempt = "run1/a#1"): Promise<OpenKey> =>
  client.openKey(spec("http://127.0.0.1:9/v1", { attempt, mcp: true, epoch: 1, until: Date.now() + 600_000 }));

test.each(["2025 and before", "2026-07-28"])(
  "the reference client finds the tools, and its calls reach the engine that has the key (protocol of %s)",
  { timeout: slow },
  async (generation) => {
    const client = await gateway({ home: await tempHome() });
    const open = await openFor(client);
    const engine = server(async ({ tool, input }) => `${tool} ${JSON.stringify(input)}`);
    using _serving = client.serveRequests(open.key, engine);
    const modern = generation === "2026-07-28" ? { versionNegotiation: { mode: "auto" as const } } : {};
    const mcp = new Client({ name: "an agent", version: "1" }, modern);
    await mcp.connect(new StreamableHTTPClientTransport(new URL(open.mcp ?? "")));
    const { tools } = await mcp.listTools();
    expect(tools.map(({ name }) => name).toSorted()).toEqual(Object.keys(runTools).toSorted());
    expect(JSON.stringify(tools)).not.toContain("$ref");
    const said = await mcp.callTool({ name: "report", arguments: { text: "half way", percent: 50 } });
    expect(said.content).toEqual([{ type: "text", text: 'report {"text":"half way","percent":50}' }]);
    expect(await mcp.callTool({ name: "report", arguments: { text: "x".repeat(2_000) } })).toMatchObject({ isError: true });
    expect(engine.asked).toHaveLength(1);
    await mcp.close();
    await client.closeKey(open.key);
  },
);

test("only the attempt's own key opens the endpoint, only where it may, and no page in a browser", { timeout: slow }, async () => {
  const client = await gateway({ home: await tempHome() });
  const open = await openFor(client);
  const without = await client.openKey(spec("http://127.0.0.1:9/v1", { attempt: "run1/b#1" }));
  expect(without.mcp).toBeUndefined();
  const engine = server(async () => "yes");
  using _serving = client.serveRequests(open.key, engine);
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "ask", arguments: { question: "may I?" } } });
  const headers = { "content-type": "application/json", accept: "application/json, text/event-stream" };
  const status = async (url: string, more: RequestInit = {}): Promise<number> => {
    const response = await fetch(url, { method: "POST", headers, body, ...more });
    await response.text();
    return response.status;
  };
  const at = (key: string): string => `${client.url}/k/${key}/mcp`;
  expect(await status(at(without.key))).toBe(404);
  expect(await status(at(`${open.key}x`))).toBe(401);
  expect(await status(`${client.url}/mcp`)).toBe(401);
  expect(await status(at(open.key), { headers: { ...headers, origin: "http://127.0.0.1:1" } })).toBe(403);
  expect(await status(at(open.key), { body: JSON.stringify({ text: "x".repeat(200_000) }) })).toBe(413);
  expect(await status(at(open.key), { method: "GET", body: null })).toBe(405);
  expect(await status(`${client.url}/admin/requests/next`, { headers: { ...headers, authorization: `Bearer ${open.key}` } })).toBe(401);
  expect(engine.asked).toEqual([]);
  expect(await status(at(open.key))).toBe(200);
  expect(engine.asked).toHaveLength(1);
  await client.closeKey(open.key);
  expect(await status(at(open.key))).toBe(401);
});

test("a request that no engine has answered goes to the one that opens the key next; the agent only waits", { timeout: slow }, async () => {
  const home = await tempHome();
  const first = await gateway({ home });
  const open = await openFor(first);
  const dead = server(() => new Promise(() => undefined));
  const serving = first.serveRequests(open.key, dead);
  const answer = ask(open, "Which colour?");
  await until(() => dead.asked.length === 1, slow);
  serving[Symbol.dispose]();
  const second = await gateway({ home });
  const again = await openFor(second);
  expect(again.key).toBe(open.key);
  const engine = server(async ({ input }) => `blue, to ${(input as { question: string }).question}`);
  using _serving = second.serveRequests(again.key, engine);
  expect(await answer).toBe("blue, to Which colour?");
  expect(engine.asked.map(({ id }) => id)).toEqual(dead.asked.map(({ id }) => id));
  await until(() => engine.heard.length === 1);
  expect(engine.heard).toEqual([true]);
  await second.closeKey(again.key);
});

test(
  "an agent whose gateway's worker was killed asks again under the same id, and the engine answers it once",
  { timeout: slow },
  async () => {
    const client = await gateway({ home: await tempHome() });
    const open = await openFor(client);
    const told = Promise.withResolvers<string>();
    const engine = server(() => told.promise);
    using _serving = client.serveRequests(open.key, engine);
    const id = "the-agents-own-id";
    const broken = ask(open, "Which colour?", id).catch((error: unknown) => error);
    await until(() => engine.asked.length === 1, slow);
    for (const worker of childrenOf(client.pid)) process.kill(worker, "SIGKILL");
    expect(await broken).toBeInstanceOf(Error);
    const again = ask(open, "Which colour?", id);
    await sleep(300);
    told.resolve("blue");
    expect(await again).toBe("blue");
    // Where the old worker's end was seen first it was asked once more: the id tells the engine that it is the same.
    expect(new Set(engine.asked.map((request) => request.id)).size).toBe(1);
    await client.closeKey(open.key);
  },
);

test(
  "an agent that gives up is not heard, too many requests at once are refused, and the end of the attempt ends them all",
  { timeout: slow },
  async () => {
    const model = await scripted(nobody);
    const client = await gateway({ home: await tempHome() });
    const open = await client.openKey(spec(model, { mcp: true }));
    const told = Promise.withResolvers<string>();
    const engine = server(() => told.promise);
    using _serving = client.serveRequests(open.key, engine);
    const waiting = Array.from({ length: runToolLimits.open }, (_, i) => ask(open, `question ${i}`));
    await until(() => engine.asked.length === runToolLimits.open, slow);
    expect(await ask(open, "one more")).toContain("wait already");
    await client.closeKey(open.key);
    expect(new Set(await Promise.all(waiting))).toEqual(new Set(["! The attempt is over."]));
    told.resolve("too late");
    await until(() => engine.heard.length === runToolLimits.open);
    expect(new Set(engine.heard)).toEqual(new Set([false]));
  },
);

test(
  "what is too deep, too long or of the wrong kind is refused at the door with what is wrong, and keeps nobody else waiting",
  { timeout: slow },
  async () => {
    const client = await gateway({ home: await tempHome() });
    const bad = await openFor(client);
    const good = await openFor(client, "run1/b#1");
    const engine = server(async ({ tool }) => tool);
    using _bad = client.serveRequests(bad.key, engine);
    using _good = client.serveRequests(good.key, engine);
    const depth = 20_000;
    const bomb = `${"[".repeat(depth)}${"]".repeat(depth)}`;
    // Built by hand: JSON.stringify cannot say it either.
    const refused = callTool(bad, "blackboard_put", `{"key":"k","value":${bomb}}`);
    expect(await ask(good, "Does anybody hear me?")).toBe("ask");
    expect(await refused).toMatch(/^! .*value.*levels deep/);
    for (const [tool, input, why] of [
      ["blackboard_put", { key: "k", value: 1, expect: 1.5 }, /expect.*is a version/],
      ["blackboard_put", { key: "no blanks", value: 1 }, /a key is 1 to 128 letters/],
      ["report", { text: "x", percent: 101 }, /percent.*is 0 to 100/],
      ["report", { text: " " }, /text.*is 1 to 1000 characters/],
      ["ask", { question: "?", choices: ["only one"] }, /choices.*are 2 to 10/],
      ["ask", { question: "x".repeat(4001) }, /question.*is 1 to 4000 characters/],
    ] as const)
      expect(await callTool(bad, tool, JSON.stringify(input))).toMatch(why);
    expect(await callTool(bad, "blackboard_put", '{"key":"__proto__","value":{"__proto__":{"polluted":true}}}')).toBe("blackboard_put");
    expect(JSON.stringify(engine.asked.at(-1)?.input)).toBe('{"key":"__proto__","value":{"__proto__":{"polluted":true}}}');
    expect(engine.asked.map(({ tool }) => tool)).toEqual(["ask", "blackboard_put"]);
    for (const { key } of [bad, good]) await client.closeKey(key);
  },
);
