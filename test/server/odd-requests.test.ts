import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { Scene } from "../../src/cli/cli.testkit.ts";
import { sendRaw, statusesIn } from "./raw.testkit.ts";
import { ask, serving, type Serving } from "./serving.testkit.ts";

/** Requests that no browser sends: what is read differently by two readers, what is deep, endless, or many. */

let scene: Scene;
let at: Serving;

beforeAll(async () => {
  scene = new Scene({ "p.yaml": "steps:\n  ok: { approve: go on? }\n" });
  at = await serving(scene, { tuning: { headersMs: 500, requestMs: 1_000 } });
});
afterAll(async () => {
  await at[Symbol.asyncDispose]();
  await scene[Symbol.asyncDispose]();
});

const post = (path: string, body: string) =>
  at.ask(`/api/v1${path}`, { as: "approver", method: "POST", body, headers: { "content-type": "application/json" } });

/** HOST, TOKEN and JSON stand for good headers. */
const filled = (request: string): string =>
  request
    .replaceAll("HOST", `host: 127.0.0.1:${at.server.port}\r\n`)
    .replaceAll("TOKEN", `authorization: Bearer ${at.token("approver")}\r\n`)
    .replaceAll("JSON", "content-type: application/json\r\n");

const change = "POST /api/v1/inbox/answer HTTP/1.1\r\nHOST";
const smuggled = "GET /api/v1/me HTTP/1.1\r\nHOSTTOKEN\r\n";

test.each<[string, string, number]>([
  ["both lengths", `${change}TOKENJSONcontent-length: 6\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`, 400],
  ["two lengths", `${change}TOKENJSONcontent-length: 2\r\ncontent-length: 60\r\n\r\n{}${smuggled}`, 400],
  ["two lengths in one", `${change}TOKENJSONcontent-length: 2, 2\r\n\r\n{}${smuggled}`, 400],
  ["a length with a sign", `${change}TOKENJSONcontent-length: +2\r\n\r\n{}${smuggled}`, 400],
  ["an encoding that nobody knows", `${change}TOKENJSONtransfer-encoding: xchunked\r\n\r\n0\r\n\r\n${smuggled}`, 400],
  ["chunked, and then something else", `${change}TOKENJSONtransfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n${smuggled}`, 400],
  ["a header that goes on in the next line", `GET /api/v1/me HTTP/1.1\r\nHOSTauthorization: Bearer\r\n x\r\n\r\n${smuggled}`, 400],
  ["a space before the colon", `GET /api/v1/me HTTP/1.1\r\nHOSTauthorization : x\r\n\r\n${smuggled}`, 400],
  ["one that is refused, with another behind it", `${change}TOKENJSONorigin: https://evil.example\r\n\r\n${smuggled}`, 403],
  ["one too large, with another behind it", `${change}TOKENJSONcontent-length: 99999999\r\n\r\n{}${smuggled}`, 413],
  ["the good host second", `GET /api/v1/me HTTP/1.1\r\nhost: evil.example\r\nHOSTTOKEN\r\n${smuggled}`, 421],
  ["no host", "GET /api/v1/me HTTP/1.0\r\nTOKEN\r\n", 421],
  ["the good token second", "GET /api/v1/me HTTP/1.1\r\nHOSTauthorization: Bearer x\r\nTOKEN\r\n", 401],
  ["the good origin first", `${change}TOKENJSONorigin: http://127.0.0.1:1\r\norigin: http://127.0.0.1\r\ncontent-length: 2\r\n\r\n{}`, 403],
  ["two types", `${change}TOKENcontent-type: text/plain\r\nJSONcontent-length: 2\r\n\r\n{}`, 415],
  ["two places to begin a stream at", "GET /api/v1/stream HTTP/1.1\r\nHOSTTOKENlast-event-id: 1\r\nlast-event-id: 2\r\n\r\n", 400],
  ["a place of 8,000 digits", `GET /api/v1/stream HTTP/1.1\r\nHOSTTOKENlast-event-id: ${"9".repeat(8000)}\r\n\r\n`, 400],
  ["a header of 20,000 characters", `GET /api/v1/me HTTP/1.1\r\nHOSTTOKENx: ${"a".repeat(20_000)}\r\n\r\n`, 431],
  ["another protocol", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400],
  ["a tunnel", "CONNECT 127.0.0.1:22 HTTP/1.1\r\nHOST\r\n", 0],
  ["an echo", "TRACE /api/v1/me HTTP/1.1\r\nHOSTTOKEN\r\n", 415],
  ["everything", "OPTIONS * HTTP/1.1\r\nHOST\r\n", 400],
  ["letters that are no ASCII", "GET /api/v1/runs/\u00fc\u2192/diff HTTP/1.1\r\nHOSTTOKEN\r\n", 400],
])("%s: one answer, and no other request is read out of it", async (_, request, status) => {
  expect(statusesIn(await sendRaw(at.server.port, Buffer.from(filled(request))))).toEqual(status === 0 ? [] : [status]);
});

test("paths are what they say: a written-out slash, dots and odd letters lead to no other route, and to no page of the API", async () => {
  for (const path of ["/api%2fv1/me", "/api//v1/me", "/API/V1/ME", "/x/../api/v1/me", "/%c0%ae%c0%ae/x", "/%EF%BC%8Fapi/v1/me"]) {
    const { status, text } = await ask(at.server.url, path);
    expect([200, 404], path).toContain(status);
    expect(text, path).not.toContain("tester");
    expect((await ask(at.server.url, path, { method: "POST" })).status, path).toBe(405);
  }
  for (const path of [
    "/api/v1/../../login",
    "/api/v1/./stream",
    "/api/v1/stream/",
    "/api/v1/logout/",
    "/api/v1/%6de",
    "/api/v1/runs/%ff%fe%fd/diff",
  ])
    expect([401, 404], path).toContain((await at.ask(path)).status);
  for (const path of [
    "/api/v1/runs/%zz%zz/diff",
    "/api/v1/runs/abcd%2f..%2f..%2fme",
    "/api/v1/runs/abcd/diff?attempt=__proto__&step=constructor",
  ])
    expect((await at.ask(path, { as: "viewer" })).status, path).toBe(404);
  expect((await at.ask("/api/v1/runs?__proto__=1&constructor=2", { as: "viewer" })).status).toBe(200);
  expect((await at.ask("/api/v1/runs?limit=1&limit=2", { as: "viewer" })).status).toBe(400);
});

test("a token in the address is none, and is not said again", async () => {
  const token = at.token("approver");
  for (const path of [
    `/api/v1/me?token=${token}`,
    `/api/v1/me?access_token=${token}`,
    `/api/v1/runs/${token}?authorization=Bearer%20${token}`,
  ]) {
    const { status, text } = await ask(at.server.url, path);
    expect(status).toBe(401);
    expect(text).not.toContain(token);
  }
});

test("other pages get no leave to read or to send, whatever they ask with", async () => {
  const asked = {
    origin: "https://evil.example",
    "access-control-request-method": "POST",
    "access-control-request-headers": "authorization",
  };
  for (const method of ["OPTIONS", "GET", "HEAD", "POST"])
    for (const path of ["/api/v1/inbox/answer", "/api/v1/me", "/", "/login?token=x"]) {
      const { headers, status } = await ask(at.server.url, path, { method, headers: asked });
      expect(Object.keys(headers).filter((name) => name.startsWith("access-control-"))).toEqual([]);
      if (path.startsWith("/api/")) expect([401, 403], `${method} ${path}`).toContain(status);
    }
});

test("asking for the head of something changes nothing and tells no more; parts of a page, and other protocols, are not given", async () => {
  const head = await at.ask("/api/v1/doctor", { as: "viewer", method: "HEAD" });
  expect(head).toMatchObject({ status: 403, text: "" });
  expect((await at.ask("/api/v1/me", { as: "viewer", method: "HEAD" })).text).toBe("");
  expect((await ask(at.server.url, "/", { headers: { range: "bytes=0-0,1-1,2-2" } })).status).toBe(200);
  const upgraded = await sendRaw(
    at.server.port,
    filled("GET /api/v1/me HTTP/1.1\r\nHOSTTOKENconnection: Upgrade, close\r\nupgrade: websocket\r\n\r\n"),
  );
  expect(statusesIn(upgraded)).toEqual([200]);
});

test("cookies of odd names and shapes are nobody's", async () => {
  const name = `stepfall-${at.server.port}`;
  for (const cookie of [
    `__proto__=1; ${name}`,
    `; = ;;; ${name}==a.b; ${name.toUpperCase()}=x`,
    `${name}=${"a.".repeat(3000)}`,
    `${name}=%00.%00`,
    `x${name}=a.b`,
  ])
    expect((await at.ask("/api/v1/me", { headers: { cookie } })).status, cookie.slice(0, 60)).toBe(401);
});

describe("JSON", () => {
  test("that is as deep as a request can be is refused like any other, and nothing falls over it", async () => {
    const deep = 400_000;
    for (const [path, body] of [
      ["/inbox/answer", "[".repeat(deep)],
      ["/inbox/answer", "[".repeat(deep) + "]".repeat(deep)],
      ["/inbox/answer", `${'{"a":'.repeat(deep / 4)}1${"}".repeat(deep / 4)}`],
      ["/runs", `{"project":"/","pipeline":{"yaml":"x"},"inputs":{"a":${"[".repeat(deep)}${"]".repeat(deep)}}}`],
    ] as const)
      expect(await post(path, body)).toMatchObject({ status: 400, json: { code: "BAD_REQUEST" } });
  });

  test("with keys that objects inherit is read as what it says", async () => {
    for (const body of [
      '{"__proto__":{"item":"abcd","verdict":"approve"}}',
      '{"__proto__":1,"item":"abcd","verdict":"approve"}',
      '{"item":"a","verdict":"constructor"}',
    ])
      expect(await post("/inbox/answer", body), body).toMatchObject({ status: 400, json: { code: "BAD_REQUEST" } });
    expect(({} as Record<string, unknown>)["item"]).toBeUndefined();
  });

  test("with NUL in what becomes a path or a word of a command is refused by name", async () => {
    const project = scene.project;
    for (const [path, json] of [
      ["/runs", { project: `${project}\0`, pipeline: { file: "p.yaml" } }],
      ["/runs", { project, pipeline: { file: "p\0.yaml" } }],
      ["/runs", { project, pipeline: { file: "p.yaml" }, inputs: { a: "x\0y" } }],
      ["/tasks", { project, tasks: ["x\0y"] }],
      ["/tasks", { project, tasks: ["x"], agent: "x\0y" }],
    ] as const)
      expect((await post(path, JSON.stringify(json))).json, JSON.stringify(json)).toMatchObject({
        status: 400,
        detail: expect.stringContaining("must be without NUL") as string,
      });
  });
});

test("clients that go away in the middle of what they say are no bug, and nothing is printed of them", async () => {
  const printed = vi.spyOn(console, "error");
  const bugs: unknown[] = [];
  await using other = new Scene();
  await using server = await serving(other, { onError: (error) => bugs.push(error) });
  const head = `POST /api/v1/inbox/answer HTTP/1.1\r\nhost: 127.0.0.1:${server.server.port}\r\nauthorization: Bearer ${server.token("approver")}\r\ncontent-type: application/json\r\n`;
  for (const rest of [
    "content-length: 1000\r\n\r\n{",
    "transfer-encoding: chunked\r\n\r\n5\r\n{",
    "transfer-encoding: chunked\r\n\r\nZZ\r\n",
  ])
    await sendRaw(server.server.port, head + rest, 200);
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(bugs).toEqual([]);
  expect(printed).not.toHaveBeenCalled();
  printed.mockRestore();
});

test("a thousand connections that say nothing are let go, and the server goes on", { timeout: 30_000 }, async () => {
  const idle = Array.from({ length: 1_000 }, () => connect(at.server.port, "127.0.0.1"));
  let open = idle.length;
  const gone = Promise.withResolvers<void>();
  for (const socket of idle) {
    socket.on("error", () => {});
    socket.once("close", () => {
      open -= 1;
      if (open === 0) gone.resolve();
    });
    socket.resume();
  }
  await gone.promise;
  expect((await at.ask("/api/v1/me", { as: "viewer" })).status).toBe(200);
});

test("whoever may only look, and strangers, take nothing from those who may more", async () => {
  await using other = new Scene();
  await using small = await serving(other, { tuning: { limits: { requests: 2, streams: 1, changes: { burst: 2, perSecond: 0.001 } } } });
  const stop = new AbortController();
  const stream = (role: "viewer" | "approver") =>
    fetch(`${small.server.url}/api/v1/stream`, { headers: { authorization: `Bearer ${small.token(role)}` }, signal: stop.signal });
  expect((await stream("viewer")).status).toBe(200);
  expect((await stream("viewer")).status).toBe(503);
  expect((await stream("approver")).status).toBe(200);
  stop.abort();
  const link = (as: "viewer" | "approver") => small.ask("/api/v1/login-links", { as, json: {} });
  for (const status of [200, 200, 429]) expect((await link("viewer")).status).toBe(status);
  expect((await link("approver")).status).toBe(200);
  // Changes of nobody are none.
  for (let i = 0; i < 5; i++) expect((await small.ask("/api/v1/login-links", { json: {} })).status).toBe(403);
  expect((await link("approver")).status).toBe(200);
});
