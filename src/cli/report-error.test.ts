import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { StoreError } from "../store/index.ts";
import { WorkspaceError } from "../workspace/index.ts";
import { RequestError } from "../setup/failure.ts";
import type { Output } from "./output.ts";
import { reportError } from "./report-error.ts";

function scene(env: Record<string, string> = {}, json = false) {
  const notes: string[] = [];
  const data: unknown[] = [];
  const out: Output = {
    note: (t) => notes.push(t),
    data: (t) => data.push(t),
    json: (v) => data.push(v),
    terminal: undefined,
    unread: new AbortController().signal,
    colour: false,
    flush: async () => {},
  };
  const home = mkdtempSync(join(tmpdir(), "stepfall-errors-"));
  return {
    cli: { out, env, json, home, clock: { now: () => 0 } },
    notes,
    data,
    home,
    [Symbol.dispose]: () => rmSync(home, { recursive: true }),
  };
}

test("a typed error of any room is its code, a sentence and what to do; its code decides between 1 and 2", () => {
  using s = scene();
  expect(reportError(s.cli, new WorkspaceError("PROJECT_NOT_GIT", "/x is not in a git repository.", "Run `git init`."))).toBe(2);
  expect(reportError(s.cli, new StoreError("STORE_BUSY", "another process writes", "Try again."))).toBe(1);
  expect(reportError(s.cli, new RequestError("USAGE", "no", "Say yes."))).toBe(2);
  expect(s.notes).toEqual([
    "PROJECT_NOT_GIT: /x is not in a git repository.\nRun `git init`.",
    "STORE_BUSY: another process writes.\nTry again.",
    "USAGE: no.\nSay yes.",
  ]);
});

test("a bug is one line; its stack goes to a log that only the owner reads, without secrets", () => {
  using s = scene({ OPENAI_API_KEY: "sk-very-secret-value" });
  expect(reportError(s.cli, new TypeError("cannot read sk-very-secret-value of undefined\nmore"))).toBe(1);
  const log = join(s.home, "errors.log");
  expect(s.notes[0]).toContain(log);
  expect(s.notes[0]?.split("\n")).toHaveLength(1);
  expect(readFileSync(log, "utf8")).toMatch(/TypeError: cannot read \*\*\* of undefined[^]*at /);
  expect(statSync(log).mode & 0o777).toBe(0o600);
});

test("STEPFALL_DEBUG=1 shows the stack; a home that is not there is not made for a log", () => {
  using s = scene({ STEPFALL_DEBUG: "1" }, true);
  const home = join(s.home, "not-there");
  expect(reportError({ ...s.cli, home }, new Error("oops"))).toBe(1);
  expect(s.notes.join("\n")).toMatch(/\n {4}at /);
  expect(s.data).toMatchObject([{ version: 1, type: "error", code: "INTERNAL", message: "oops" }]);
  expect(existsSync(home)).toBe(false);
});
