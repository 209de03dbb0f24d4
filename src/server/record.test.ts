import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { processStartTime } from "../agents/index.ts";
import { formatHolder } from "../fleet/index.ts";
import { tokenFile } from "./login.ts";
import { askLoginLink, readServerRecord, removeServerRecord, writeServerRecord } from "./record.ts";
import { secretFile } from "./secret-file.ts";

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "stepfall-record-"));
  mkdirSync(join(home, "server"));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

/** Somebody else's program, at the port where the server was. */
async function stranger(): Promise<{ url: string; told: string[] } & AsyncDisposable> {
  const told: string[] = [];
  const server = createServer((request, response) => {
    told.push(request.headers.authorization ?? "nothing");
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ url: "http://evil.example/" }));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    told,
    async [Symbol.asyncDispose]() {
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

test("the token is shown to nobody who has the port of a server that was killed", async () => {
  const token = secretFile(tokenFile(home, "approver"));
  await using other = await stranger();
  const killed = spawn("sleep", ["60"]);
  await once(killed, "spawn");
  const pid = killed.pid ?? 0;
  const holder = formatHolder({ host: hostname(), pid, startTime: processStartTime(pid) ?? "" });
  const record = { version: 1, url: other.url, pid, startedAt: 1 };
  const write = (more: object): void => writeFileSync(join(home, "server", "server.json"), JSON.stringify({ ...record, ...more }));
  write({ holder });
  expect(readServerRecord(home)).toEqual({ url: other.url, pid, startedAt: 1 });
  killed.kill("SIGKILL");
  await once(killed, "exit");
  // Also one whose number another process has by now, and one that does not say which process it was.
  const reused = { ...record, pid: process.pid, holder: formatHolder({ host: hostname(), pid: process.pid, startTime: "1" }) };
  for (const more of [{ holder }, reused, {}, { holder: "" }, { pid: process.pid }]) {
    write(more);
    expect(readServerRecord(home)).toBeUndefined();
    expect(await askLoginLink(home, {})).toBeUndefined();
  }
  expect(other.told).toEqual([]);

  writeServerRecord(home, { url: other.url, startedAt: 2 });
  expect(await askLoginLink(home, {})).toBe("http://evil.example/");
  expect(other.told).toEqual([`Bearer ${token}`]);
  removeServerRecord(home);
  expect(readServerRecord(home)).toBeUndefined();
});
