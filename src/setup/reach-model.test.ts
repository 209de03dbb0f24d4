import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { reachModel } from "./reach-model.ts";

const never = new AbortController().signal;
async function endpoint(status: number): Promise<{ baseUrl: string; asked: string[] }> {
  const asked: string[] = [];
  const server = createServer((req, res) => {
    asked.push(`${req.url} ${req.headers.authorization ?? ""}`);
    res.writeHead(status).end("{}");
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return { baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`, asked };
}

test("an endpoint that answers is reached, also when it has no list of models", async () => {
  const { baseUrl, asked } = await endpoint(404);
  expect(await reachModel({ provider: "p", baseUrl, model: "m", apiKey: "k-123" }, never)).toMatchObject({ ok: true });
  expect(asked).toEqual(["/v1/models Bearer k-123"]);
});

test("a refused key and a closed port are told before a run starts, without the key", async () => {
  const { baseUrl } = await endpoint(401);
  const refused = await reachModel({ provider: "p", baseUrl, model: "m", apiKey: "k-123" }, never);
  expect(refused).toMatchObject({ ok: false, problem: expect.stringContaining("refuses the key (HTTP 401") });
  expect(JSON.stringify(refused)).not.toContain("k-123");
  const closed = createServer().listen(0, "127.0.0.1");
  await once(closed, "listening");
  const { port } = closed.address() as AddressInfo;
  closed.close();
  await once(closed, "close");
  expect(await reachModel({ provider: "p", baseUrl: `http://127.0.0.1:${port}/v1`, model: "m" }, never)).toMatchObject({
    ok: false,
    problem: expect.stringContaining("ECONNREFUSED"),
  });
});
