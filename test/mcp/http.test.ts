import { readFileSync } from "node:fs";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { expect, test } from "vitest";
import { keptBy } from "../acceptance/run-journal.testkit.ts";
import { readServerRecord } from "../../src/server/index.ts";
import { tokenFile } from "../../src/server/login.ts";
import { callWith, generations, McpScene, newClient, SLOWLY, type Generation } from "./mcp-scene.testkit.ts";
import { serve } from "./served.testkit.ts";

/** `news` where it was seen before it was clear that nothing else goes on. */
const waits = expect.stringMatching(/^(waiting|news)$/) as string;
const LINES = 20_000;
const project = {
  "noisy.yaml": `name: noisy
steps:
  noise:
    command: "seq ${LINES} | sed 's/^/a line of noise /' | tee big.txt"
    outputs: [big.txt]
  ok: { needs: noise, ask: Go on? }
`,
};

test("over HTTP both generations are served by their rights; one is asked by forms, the other by tools; and however much there is, answers stay small", async () => {
  await using scene = new McpScene(project);
  await using served = await serve(scene);
  await using viewer = await served.connect("viewer", { generation: "2025-11-25" });
  await using old = await served.connect("approver", {
    generation: "2025-11-25",
    agent: "old-agent/0.1 (linux)",
    person: () => ({ action: "accept", content: { answer: "never asked" } }),
  });
  await using young = await served.connect("approver", {
    generation: "2026-07-28",
    name: "young-agent",
    person: () => ({ action: "accept", content: { answer: "yes" } }),
  });

  expect((await viewer.client.listTools()).tools.map((t) => t.name)).toEqual((await young.client.listTools()).tools.map((t) => t.name));
  expect((await viewer.call("list_runs")).data).toMatchObject({ runs: [] });
  for (const [name, input] of [
    ["start_run", { file: "noisy.yaml", project: scene.project }],
    ["cancel", { run: "x" }],
    ["answer", { item: "x", text: "y" }],
    ["approve", { item: "x" }],
  ] as const)
    expect(await viewer.call(name, input)).toMatchObject({ isError: true, text: expect.stringMatching(/^NOT_ALLOWED/) as string });
  expect((await old.call("start_run", { file: "noisy.yaml" })).text).toContain("it is not known which project is meant");

  const run = String((await old.call("start_run", { file: "noisy.yaml", project: scene.project })).data["runId"]);
  const waited = await old.call("wait_run", { run, timeout_s: 200 });
  expect(waited).toMatchObject({ isError: false, data: { why: waits, decided: [], waiting: [{ item: `${run}/ok!1` }] } });

  const small = 25_000;
  const logs = (await old.call("get_logs", { run, step: "noise" })).text;
  expect(logs).toContain(`a line of noise ${LINES}`);
  expect(logs.length).toBeLessThan(small);
  let diff = (await old.call("get_diff", { run })).text;
  expect(diff.length).toBeLessThan(small);
  let parts = diff;
  for (let next = offsetIn(diff); next !== undefined; next = offsetIn(diff)) {
    diff = (await old.call("get_diff", { run, offset: next, max_chars: 100_000 })).text;
    parts += `\n${diff}`;
  }
  expect(parts.match(/^\+a line of noise \d+$/gm)).toHaveLength(LINES);
  for (const { uri } of (await viewer.client.listResources()).resources) {
    const { contents } = await viewer.client.readResource({ uri });
    expect(JSON.stringify(contents).length, uri).toBeLessThan(2 * small);
  }

  // The person at the other client answers, in the name that their client gave.
  const asked = await young.call("wait_run", { run, timeout_s: 200 });
  expect(asked.data, asked.text).toMatchObject({ status: "succeeded", decided: [{ text: "yes", by: "mcp:young-agent/person" }] });
  const kept = await keptBy(scene);
  const actorOf = (type: string) => kept.events.find(({ event }) => event.type === type)?.actor;
  expect(actorOf("InboxAnswered")).toBe("mcp:young-agent/person");
  expect(actorOf("RunStarted")).toBe("mcp:old-agent");

  const huge = await fetch(served.url, {
    method: "POST",
    headers: { authorization: "Bearer approver", "content-type": "application/json", accept: "application/json, text/event-stream" },
    body: JSON.stringify({
      jsonrpc: "2.0",
      id: 1,
      method: "tools/call",
      params: { name: "do", arguments: { tasks: ["x".repeat(2_000_000)] } },
    }),
  });
  expect(huge.status).toBe(413);
}, 400_000);

const offsetIn = (text: string): number | undefined => {
  const [, offset] = /get_diff with offset (\d+)/.exec(text) ?? [];
  return offset === undefined ? undefined : Number(offset);
};

test("`stepfall up` has it at /mcp, for whoever has a token of the home, with the rights of that token", async () => {
  await using scene = new McpScene(project);
  const server = scene.start(["up", "--port", "0", "--no-open", "--json"]);
  await server.said("Stepfall is at ");
  const { url } = readServerRecord(scene.home) ?? { url: "" };
  const connectAs = async (token: string, generation: Generation) => {
    const client = newClient({ generation });
    const requestInit = { headers: { authorization: `Bearer ${token}` } };
    await client.connect(new StreamableHTTPClientTransport(new URL("/mcp", url), { requestInit }), SLOWLY);
    return client;
  };
  for (const generation of generations) {
    const approver = await connectAs(readFileSync(tokenFile(scene.home, "approver"), "utf8").trim(), generation);
    expect((await approver.listTools()).tools).toHaveLength(14);
    expect(await callWith(approver, "cancel", { run: "x" })).toMatchObject({ text: expect.stringMatching(/^RUN_UNKNOWN/) as string });
    await approver.close();
  }
  const viewer = await connectAs(readFileSync(tokenFile(scene.home, "viewer"), "utf8").trim(), "2025-11-25");
  expect((await callWith(viewer, "list_runs")).data).toMatchObject({ runs: [] });
  expect((await callWith(viewer, "cancel", { run: "x" })).text).toMatch(/^NOT_ALLOWED/);
  await viewer.close();
  await expect(connectAs("wrong", "2025-11-25")).rejects.toThrow();
  expect((await fetch(new URL("/mcp", url), { method: "POST", headers: { host: "evil.example" } })).status).toBeGreaterThanOrEqual(400);
  server.child.kill("SIGTERM");
  await server.ended;
}, 300_000);
