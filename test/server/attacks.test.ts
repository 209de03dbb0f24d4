import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Scene } from "../../src/cli/cli.testkit.ts";
import { apiDocument, ROLES, type Role } from "../../src/server/index.ts";
import { ask, serving, type Answer, type Serving } from "./serving.testkit.ts";

/** What somebody may try who can have a browser of this machine send requests, or who has less rights than they want. */

let scene: Scene;
let at: Serving;
const secret = "the content of a file that is nobody's business";
const item = { item: "x/ok!1", verdict: "approve" };

beforeAll(async () => {
  scene = new Scene({ "p.yaml": "steps:\n  ok: { approve: go on? }\n" });
  const dashboard = join(scene.folder, "dashboard");
  mkdirSync(join(dashboard, "assets"), { recursive: true });
  writeFileSync(join(dashboard, "index.html"), "<!doctype html><title>the dashboard</title>");
  writeFileSync(join(dashboard, "assets", "app.js"), "export {};");
  writeFileSync(join(scene.folder, "secret.txt"), secret);
  symlinkSync(join(scene.folder, "secret.txt"), join(dashboard, "link.txt"));
  at = await serving(scene, { tuning: { headersMs: 500, requestMs: 1_000 } });
});
afterAll(async () => {
  await at[Symbol.asyncDispose]();
  await scene[Symbol.asyncDispose]();
});

const cookieOf = async (): Promise<string> => {
  const link = new URL(at.server.loginLink("approver"));
  const { headers } = await ask(at.server.url, link.pathname + link.search);
  return headers["set-cookie"]?.[0]?.split(";")[0] ?? "";
};
const codeOf = ({ status, json }: Answer): string => `${status} ${String(json?.["code"])}`;

test("every refusal is problem+json with what to do, never a stack, and carries the headers that hold a page to its own", async () => {
  const { headers, json, text } = await at.ask("/api/v1/runs");
  expect(headers).toMatchObject({
    "content-type": "application/problem+json",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
  });
  expect(headers["content-security-policy"]).toMatch(/default-src 'self'; script-src 'self';.*frame-ancestors 'none'/);
  expect(json).toMatchObject({
    status: 401,
    code: "NOT_LOGGED_IN",
    title: expect.any(String) as string,
    hint: expect.stringContaining("stepfall up") as string,
  });
  expect(text).not.toMatch(/ at .*\.ts:/);
});

test.each([
  "evil.example",
  "evil.example:PORT",
  "127.0.0.1",
  "127.0.0.1:1",
  "localhost.evil.example:PORT",
  "127.0.0.1:PORT.evil.example",
  // Other spellings of this machine: a browser keeps logins and origins apart by them.
  "localhost.:PORT",
  "127.0.0.1.:PORT",
  "127.1:PORT",
  "0.0.0.0:PORT",
  "2130706433:PORT",
  "[::ffff:127.0.0.1]:PORT",
  "[0:0:0:0:0:0:0:1]:PORT",
  "user@127.0.0.1:PORT",
])("a name that points here is not this server: Host %j", async (host) => {
  const headers = { host: host.replace("PORT", String(at.server.port)), authorization: `Bearer ${at.token("approver")}` };
  for (const path of ["/", "/api/v1/me", "/login?token=x"]) {
    const answer = await ask(at.server.url, path, { headers });
    expect(answer.status, path).toBe(421);
    expect(answer.text).not.toContain("the dashboard");
  }
});

test("the names of this machine are", async () => {
  for (const host of ["127.0.0.1", "localhost", "LOCALHOST", "[::1]"])
    expect((await at.ask("/api/v1/me", { as: "viewer", headers: { host: `${host}:${at.server.port}` } })).status).toBe(200);
});

describe("without a good token nothing is told", () => {
  test.each([
    ["none", {}],
    ["a wrong one", { authorization: `Bearer ${"A".repeat(43)}` }],
    ["half of a good one", () => ({ authorization: `Bearer ${at.token("approver").slice(0, 20)}` })],
    ["another scheme", () => ({ authorization: `Basic ${at.token("approver")}` })],
    ["a token as a cookie", () => ({ cookie: `stepfall-${at.server.port}=${at.token("approver")}` })],
    [
      "a cookie of our making",
      () => ({ cookie: `stepfall-${at.server.port}=${Buffer.from('{"role":"approver","until":9e15}').toString("base64url")}.AAAA` }),
    ],
  ])("%s", async (_, headers) => {
    const sent = typeof headers === "function" ? headers() : headers;
    for (const path of ["/api/v1/me", "/api/v1/runs", "/api/v1/stream", "/api/v1/openapi.json", "/api/v1/nothing"])
      expect(codeOf(await at.ask(path, { headers: sent })), path).toBe("401 NOT_LOGGED_IN");
    expect(codeOf(await at.ask("/api/v1/inbox/answer", { json: item, headers: sent }))).toMatch(/^40[13] /);
  });
});

describe("a page of another origin, in the browser of somebody who is logged in", () => {
  const json = { "content-type": "application/json" };
  const body = JSON.stringify(item);
  test.each([
    ["a form", { origin: "https://evil.example", "content-type": "application/x-www-form-urlencoded" }],
    ["JSON", { origin: "https://evil.example", "sec-fetch-site": "cross-site", ...json }],
    [
      "JSON from another port of this machine, which is the same site",
      { origin: "http://localhost:3000", "sec-fetch-site": "same-site", ...json },
    ],
    ["JSON with an origin that only begins like ours", () => ({ origin: `${at.server.url}.evil.example`, ...json })],
    ["JSON from a sandboxed frame", { origin: "null", ...json }],
    ["JSON that does not say where it comes from", { ...json }],
  ])("%s is refused", async (_, headers) => {
    const sent = typeof headers === "function" ? headers() : headers;
    const cookie = await cookieOf();
    expect(codeOf(await ask(at.server.url, "/api/v1/inbox/answer", { method: "POST", body, headers: { cookie, ...sent } }))).toBe(
      "403 CROSS_ORIGIN",
    );
  });

  test("it may not read either", async () => {
    const cookie = await cookieOf();
    for (const site of ["cross-site", "same-site"])
      expect(codeOf(await ask(at.server.url, "/api/v1/runs", { headers: { cookie, "sec-fetch-site": site } }))).toBe("403 CROSS_ORIGIN");
  });

  test("the page of this server may, but only with JSON", async () => {
    const own = { cookie: await cookieOf(), origin: at.server.url, "sec-fetch-site": "same-origin" };
    const answer = await ask(at.server.url, "/api/v1/inbox/answer", { method: "POST", body, headers: { ...own, ...json } });
    expect(answer.status).toBe(404);
    for (const type of ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/jsonp"]) {
      const refused = await ask(at.server.url, "/api/v1/inbox/answer", { method: "POST", body, headers: { ...own, "content-type": type } });
      expect(codeOf(refused), type).toBe("415 NOT_JSON");
    }
  });
});

describe("roles", () => {
  test("whoever is not allowed to ask is told so before anything is read: each route of openapi.json, for each role below its own", async () => {
    const { paths } = apiDocument() as { paths: Record<string, Record<string, { "x-role"?: Role }>> };
    const tried: string[] = [];
    for (const [path, methods] of Object.entries(paths))
      for (const [method, { "x-role": needed }] of Object.entries(methods))
        for (const as of ROLES.slice(0, needed === undefined ? 0 : ROLES.indexOf(needed))) {
          const asked = { as, method: method.toUpperCase(), ...(method === "get" ? {} : { json: { what: 1 } }) };
          const refused = await at.ask(`/api/v1${path.replace("{runId}", "01abc")}`, asked);
          expect(codeOf(refused), `${method} ${path} as ${as}`).toBe("403 ROLE_TOO_LOW");
          tried.push(`${as} ${method} ${path}`);
        }
    expect(tried).toEqual(
      expect.arrayContaining(["viewer post /runs", "operator post /inbox/answer", "operator post /runs/{runId}/merge"]),
    );
    expect(tried.length).toBeGreaterThan(10);
    expect((await at.ask("/api/v1/runs", { as: "viewer" })).status).toBe(200);
  });

  test("an operator steers, and answers nothing", async () => {
    expect(codeOf(await at.ask("/api/v1/inbox/answer", { as: "operator", json: item }))).toBe("403 ROLE_TOO_LOW");
    expect(codeOf(await at.ask("/api/v1/runs/01abc/cancel", { as: "operator", json: {} }))).toBe("404 RUN_UNKNOWN");
  });

  test("nobody makes a link for more than they may", async () => {
    expect(codeOf(await at.ask("/api/v1/login-links", { as: "viewer", json: { role: "approver" } }))).toBe("403 ROLE_TOO_LOW");
    const { json } = await at.ask("/api/v1/login-links", { as: "operator", json: {} });
    expect(json).toMatchObject({ role: "operator" });
  });
});

describe("the link that logs in", () => {
  test("works once", async () => {
    const link = new URL(at.server.loginLink("viewer", "/inbox"));
    const path = link.pathname + link.search;
    // Neither a look ahead nor a question whether it is there uses it up.
    await ask(at.server.url, path, { method: "HEAD" });
    await ask(at.server.url, path, { headers: { "sec-purpose": "prefetch" } });
    const first = await ask(at.server.url, path);
    expect(first).toMatchObject({ status: 303, headers: { location: "/inbox" } });
    expect(first.headers["set-cookie"]?.[0]).toMatch(/^stepfall-\d+=\S+; HttpOnly; SameSite=Strict; Path=\/; Max-Age=\d+$/);
    const second = await ask(at.server.url, path);
    expect(second.status).toBe(403);
    expect(second.headers["set-cookie"]).toBeUndefined();
    const cookie = first.headers["set-cookie"]?.[0]?.split(";")[0] ?? "";
    const me = await ask(at.server.url, "/api/v1/me", { headers: { cookie } });
    expect(me.json).toMatchObject({ role: "viewer", actor: "web:tester" });
  });

  test("opened by two at once, it lets one in", async () => {
    const link = new URL(at.server.loginLink("approver"));
    const both = await Promise.all([1, 2].map(() => ask(at.server.url, link.pathname + link.search)));
    expect(both.map(({ status }) => status).toSorted()).toEqual([303, 403]);
    expect(both.filter(({ headers }) => headers["set-cookie"])).toHaveLength(1);
  });

  test("leads nowhere else", async () => {
    for (const to of ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "/x\r\nset-cookie: a=b"]) {
      const link = new URL(at.server.loginLink("viewer", to));
      expect((await ask(at.server.url, link.pathname + link.search)).headers.location, to).toBe("/");
    }
  });
});

describe("paths that lead out", () => {
  const ups = [
    "/../secret.txt",
    "/assets/../../secret.txt",
    "/%2e%2e/secret.txt",
    "/..%2fsecret.txt",
    "/assets/..%5c..%5csecret.txt",
    "/link.txt",
    "/%00",
    "/%",
    "/....//secret.txt",
  ];
  test.each(ups)("of the dashboard: %s", async (path) => {
    const { text, status } = await ask(at.server.url, path);
    expect(text).not.toContain(secret);
    expect(status === 404 || text.includes("the dashboard")).toBe(true);
  });

  test("what is in the dashboard is found, and its pages are", async () => {
    expect(await ask(at.server.url, "/assets/app.js")).toMatchObject({
      status: 200,
      text: "export {};",
      headers: { "content-type": "text/javascript; charset=utf-8" },
    });
    expect((await ask(at.server.url, "/runs/01abc?x=1")).text).toContain("the dashboard");
    expect((await ask(at.server.url, "/assets/none.js")).status).toBe(404);
  });

  test.each(["//evil.example/x", "http://evil.example/", "http://127.0.0.1/api/v1/me"])(
    "a request line that names a host: %s",
    async (path) => {
      expect((await ask(at.server.url, path)).status).toBe(400);
    },
  );

  test("of a run's logs, diff and events: by names of runs, steps and attempts", async () => {
    const out = ["..%2f..", "..%2f..%2fsecret", "%2e%2e%2f%2e%2e%2fstepfall.db", "....", "%00%00%00%00"];
    for (const runId of out)
      for (const what of ["logs", "diff", "events", "report.md"]) {
        const answer = await at.ask(`/api/v1/runs/${runId}/${what}`, { as: "viewer" });
        expect([400, 404], `${runId}/${what}`).toContain(answer.status);
      }
  });
});

describe("what is too much", () => {
  test("a body that says that it is too large, and one that does not say it", async () => {
    const large = JSON.stringify({ item: "x".repeat(2 << 20), verdict: "approve" });
    const said = await at
      .ask("/api/v1/inbox/answer", {
        as: "approver",
        method: "POST",
        body: large,
        headers: { "content-type": "application/json", "content-length": String(large.length) },
      })
      .catch((error: NodeJS.ErrnoException) => error);
    // The connection is cut while the client still sends: it may see that first.
    expect(said instanceof Error ? ["ECONNRESET", "EPIPE"] : ["413 TOO_LARGE"]).toContain(said instanceof Error ? said.code : codeOf(said));
    const chunked = await at
      .ask("/api/v1/inbox/answer", {
        as: "approver",
        method: "POST",
        body: large,
        headers: { "content-type": "application/json", "transfer-encoding": "chunked" },
      })
      .catch((error: NodeJS.ErrnoException) => error);
    expect(chunked instanceof Error ? ["ECONNRESET", "EPIPE"] : ["413 TOO_LARGE"]).toContain(
      chunked instanceof Error ? chunked.code : codeOf(chunked),
    );
  });

  test("a body that is no JSON, one that is not what was asked for, and fields that nobody knows", async () => {
    for (const body of [
      "{",
      "null",
      "[]",
      '{"item":1}',
      '{"item":"a","verdict":"maybe"}',
      '{"item":"a","verdict":"approve","by":"somebody else"}',
    ])
      expect(
        codeOf(
          await at.ask("/api/v1/inbox/answer", { as: "approver", method: "POST", body, headers: { "content-type": "application/json" } }),
        ),
        body,
      ).toBe("400 BAD_REQUEST");
    for (const query of ["limit=-1", "limit=x", "limit=99999999", "status=odd"])
      expect(codeOf(await at.ask(`/api/v1/runs?${query}`, { as: "viewer" })), query).toBe("400 BAD_REQUEST");
  });

  test("clients that send slowly are cut off: headers that never end, and a body that never does", async () => {
    const [headers, body] = await Promise.all([
      dripped("GET / HTTP/1.1\r\nhost: x\r\nx-slow: "),
      dripped(
        `POST /api/v1/inbox/answer HTTP/1.1\r\nhost: 127.0.0.1:${at.server.port}\r\nauthorization: Bearer ${at.token("approver")}\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n{`,
      ),
    ]);
    expect(headers).toBeLessThan(15_000);
    expect(body).toBeLessThan(15_000);
    expect((await at.ask("/api/v1/me", { as: "viewer" })).status).toBe(200);
  }, 40_000);
});

/** Sends this, then a character every 100 ms. Answers after how long the server has ended it, ms. */
function dripped(begin: string): Promise<number> {
  const began = performance.now();
  return new Promise((resolve) => {
    const socket = connect(at.server.port, "127.0.0.1", () => socket.write(begin));
    const drip = setInterval(() => socket.write("a"), 100);
    socket.on("error", () => {});
    socket.resume();
    socket.once("close", () => {
      clearInterval(drip);
      resolve(performance.now() - began);
    });
  });
}

test("changes that come too fast, and more requests at a time than there is room for, are refused with when to try again", async () => {
  await using other = new Scene();
  await using small = await serving(other, { tuning: { limits: { requests: 2, streams: 1, changes: { burst: 3, perSecond: 0.001 } } } });
  const change = () => small.ask("/api/v1/runs/01abc/cancel", { as: "operator", json: {} });
  for (let i = 0; i < 3; i++) expect((await change()).status).toBe(404);
  const refused = await change();
  expect(codeOf(refused)).toBe("429 TOO_MANY_CHANGES");
  expect(refused.headers["retry-after"]).toBe("1");
  const headers = { authorization: `Bearer ${small.token("viewer")}` };
  const stop = new AbortController();
  const stream = await fetch(`${small.server.url}/api/v1/stream`, { headers, signal: stop.signal });
  expect(stream.status).toBe(200);
  expect(codeOf(await small.ask("/api/v1/stream", { as: "viewer" }))).toBe("503 BUSY");
  stop.abort();
});

test("other programs' routes behind the same door: a token is needed, a cookie is not enough", async () => {
  await using other = new Scene();
  await using more = await serving(other, {
    routes: [{ path: "/mcp", handle: async (_, response, caller) => void response.end(JSON.stringify(caller)) }],
  });
  expect((await more.ask("/mcp", { as: "operator", method: "POST", json: {} })).json).toEqual({
    role: "operator",
    actor: "api:tester",
    by: "token",
  });
  expect((await more.ask("/mcp")).status).toBe(401);
  const link = new URL(more.server.loginLink("approver"));
  const cookie = (await ask(more.server.url, link.pathname + link.search)).headers["set-cookie"]?.[0]?.split(";")[0] ?? "";
  expect(codeOf(await ask(more.server.url, "/mcp", { headers: { cookie } }))).toBe("401 TOKEN_NEEDED");
  expect((await more.ask("/mcp/../api/v1/me", { as: "viewer" })).status).not.toBe(500);
});
