import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadConfig } from "./load.ts";

let home: string;
beforeAll(() => void (home = mkdtempSync(join(tmpdir(), "stepfall-log-config-"))));
afterAll(() => rmSync(home, { recursive: true, force: true }));

function load({ user = "", project, level }: { user?: string; project?: string; level?: string }) {
  writeFileSync(join(home, "config.yaml"), user);
  const env = level === undefined ? {} : { STEPFALL_LOG_LEVEL: level };
  return loadConfig({ env, home, ...(project === undefined ? {} : { projectText: project }) });
}
function logOf(given: Parameters<typeof load>[0]) {
  const loaded = load(given);
  if (!loaded.ok) throw new TypeError(JSON.stringify(loaded.problems));
  return loaded.config.log;
}
const problems = (given: Parameters<typeof load>[0]): string[] => {
  const loaded = load(given);
  return loaded.ok ? [] : loaded.problems.map((p) => `${p.code} ${p.message}. ${p.hint}`);
};

describe("what the settings say of the log", () => {
  test("without a word it is written for two weeks, and sent nowhere", () => {
    expect(logOf({})).toEqual({ level: "info", file: true, keepMs: 14 * 86_400_000, otlp: false });
  });

  test("the variable comes before the user's file", () => {
    const user = "log: { level: warn, keep: 3d, file: false, otlp: true }\ntelemetry: { endpoint: 'http://127.0.0.1:4318' }";
    expect(logOf({ user })).toEqual({ level: "warn", file: false, keepMs: 3 * 86_400_000, otlp: true });
    expect(logOf({ user, level: "debug" }).level).toBe("debug");
  });

  test("what is no level, or no project's to say, is refused by name", () => {
    expect(problems({ level: "loud" })[0]).toMatch(/^BAD_VALUE .*debug, info, warn, error or off/);
    expect(problems({ user: "log: { level: loud }" })[0]).toMatch(/debug|info|warn/);
    expect(problems({ user: "log: { keep: 1h }" })).toHaveLength(1);
    expect(problems({ user: "log: { otlp: true }" })[0]).toMatch(/^BAD_VALUE .*needs an endpoint.*telemetry/);
    expect(problems({ project: "log: { level: off }" })[0]).toMatch(/^NOT_THE_PROJECTS `log` of a project/);
  });
});
