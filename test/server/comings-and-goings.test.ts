import { expect, test } from "vitest";
import { Scene } from "../../src/cli/cli.testkit.ts";
import { createLog, type LogRecord } from "../../src/logs/index.ts";
import { ask, serving } from "./serving.testkit.ts";

test("who comes, goes and is refused is in the system log, and nothing in it lets anybody in", async () => {
  await using scene = new Scene();
  const lines: LogRecord[] = [];
  const clock = { now: () => Date.now() };
  const log = createLog({ process: "server", pid: 1, clock, level: "debug", mask: (text) => text, sinks: [(line) => lines.push(line)] });
  await using at = await serving(scene, { log });
  const { json } = await at.ask("/api/v1/login-links", { as: "operator", json: { role: "viewer" } });
  const link = new URL(String(json?.["url"]));
  const { headers } = await ask(at.server.url, link.pathname + link.search);
  const cookie = headers["set-cookie"]?.[0]?.split(";")[0] ?? "";
  await ask(at.server.url, link.pathname + link.search);
  const own = { cookie, "sec-fetch-site": "same-origin", origin: at.server.url, "content-type": "application/json" };
  await ask(at.server.url, "/api/v1/inbox/answer", { method: "POST", headers: own, body: "{}" });
  await ask(at.server.url, "/api/v1/logout", { method: "POST", headers: own, body: "{}" });
  const token = at.token("approver");
  await ask(at.server.url, `/api/v1/me?token=${token}`, { headers: { authorization: `Bearer ${token}x` } });
  await ask(at.server.url, "/", { headers: { host: "evil.example", cookie, authorization: `Bearer ${token}` } });
  expect(lines.map(({ event, data }) => [event, data?.["role"], data?.["actor"] ?? data?.["path"]])).toEqual([
    ["login-link", "viewer", "api:tester"],
    ["login", "viewer", "web:tester"],
    ["request-403", undefined, "/login"],
    ["request-403", "viewer", "web:tester"],
    ["logout", "viewer", "web:tester"],
    ["request-401", undefined, "/api/v1/me"],
    ["request-421", undefined, "/"],
  ]);
  expect(lines.flatMap(({ data }) => data?.["code"] ?? [])).toEqual(["LINK_USED", "ROLE_TOO_LOW", "NOT_LOGGED_IN", "WRONG_HOST"]);
  const text = JSON.stringify(lines);
  for (const secret of [token, link.searchParams.get("token") ?? "", cookie.split("=")[1] ?? ""]) {
    expect(secret.length).toBeGreaterThan(30);
    expect(text).not.toContain(secret);
  }
});
