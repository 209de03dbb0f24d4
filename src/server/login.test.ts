import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openLogin, tokenFile, type Login } from "./login.ts";

let home: string;
let now: number;
const login = (port = 7000, of = home): Login => openLogin({ home: of, port: () => port, user: "anna", clock: { now: () => now } });
const minute = 60_000;
const cookieFrom = (set: string | undefined): string => set?.split(";")[0] ?? "";

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "stepfall-login-"));
  now = 1_000_000;
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

test("a link is good for ten minutes, once, for the role it was made for", () => {
  const at = login();
  const { secret, expiresAt } = at.newLink("operator");
  expect(expiresAt).toBe(now + 10 * minute);
  now += 10 * minute - 1;
  const cookie = cookieFrom(at.useLink(secret));
  expect(at.callerOf({ cookie: `other=1; ${cookie}` })).toEqual({ role: "operator", actor: "web:anna", by: "cookie" });
  expect(at.useLink(secret)).toBeUndefined();
  const late = at.newLink("viewer").secret;
  now += 10 * minute;
  expect(at.useLink(late)).toBeUndefined();
});

test("a login outlives the server, and ends after a week", () => {
  const at = login();
  const cookie = cookieFrom(at.useLink(at.newLink("approver").secret));
  expect(login().callerOf({ cookie })).toMatchObject({ role: "approver" });
  now += 7 * 24 * 60 * minute;
  expect(login().callerOf({ cookie })).toBe("refused");
});

test("the cookie of another home, of another port, or with another role in it is no good", () => {
  const at = login();
  const cookie = cookieFrom(at.useLink(at.newLink("viewer").secret));
  const other = mkdtempSync(join(tmpdir(), "stepfall-login-"));
  try {
    expect(login(7000, other).callerOf({ cookie })).toBe("refused");
  } finally {
    rmSync(other, { recursive: true, force: true });
  }
  expect(login(7001).callerOf({ cookie })).toBe("nobody");
  const [name = "", value = ""] = cookie.split("=");
  const [, signature = ""] = value.split(".");
  const more = Buffer.from(JSON.stringify({ role: "approver", until: now + minute })).toString("base64url");
  expect(at.callerOf({ cookie: `${name}=${more}.${signature}` })).toBe("refused");
  expect(at.callerOf({ cookie: `${name}=` })).toBe("refused");
});

test("each role has a token of its own in a file that only its owner reads, the same after a restart", () => {
  login();
  const tokens = (["viewer", "operator", "approver"] as const).map((role) => ({
    role,
    token: readFileSync(tokenFile(home, role), "utf8").trim(),
  }));
  expect(new Set(tokens.map(({ token }) => token)).size).toBe(3);
  for (const { role, token } of tokens) {
    expect(statSync(tokenFile(home, role)).mode & 0o777).toBe(0o600);
    expect(login().callerOf({ authorization: `Bearer ${token}` })).toEqual({ role, actor: "api:anna", by: "token" });
  }
});

test("a token that others could read is a secret no more: a new one is made", () => {
  login();
  const file = tokenFile(home, "approver");
  const before = readFileSync(file, "utf8").trim();
  chmodSync(file, 0o644);
  const at = login();
  expect(at.callerOf({ authorization: `Bearer ${before}` })).toBe("refused");
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(at.callerOf({ authorization: `Bearer ${readFileSync(file, "utf8").trim()}` })).toMatchObject({ role: "approver" });
});

test("a token that is wrong counts before a cookie that is right", () => {
  const at = login();
  const cookie = cookieFrom(at.useLink(at.newLink("approver").secret));
  expect(at.callerOf({ cookie, authorization: "Bearer nonsense" })).toBe("refused");
  expect(at.callerOf({})).toBe("nobody");
});

test("a cookie of that name that another port's page has set comes first, and logs nobody out", () => {
  const at = login();
  const cookie = cookieFrom(at.useLink(at.newLink("approver").secret));
  const name = cookie.split("=")[0] ?? "";
  for (const tossed of [`${name}=x.y; ${cookie}`, `${name}=; ${cookie}`, `${cookie}; ${name}=__proto__`])
    expect(at.callerOf({ cookie: tossed }), tossed).toMatchObject({ role: "approver" });
  expect(at.callerOf({ cookie: `${name}=x.y; ${name}=` })).toBe("refused");
});

test("somebody who may only look and makes many links leaves the approver's as it is", () => {
  const at = login();
  const { secret } = at.newLink("approver");
  const [first] = Array.from({ length: 200 }, () => at.newLink("viewer").secret);
  expect(at.useLink(first ?? "")).toBeUndefined();
  expect(at.useLink(secret)).toBeDefined();
});
