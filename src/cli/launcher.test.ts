import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launcher } from "./cli.testkit.ts";

/** A Node on this machine that is too old for Stepfall, if there is one. */
function oldNode(): string | undefined {
  for (const path of ["/usr/bin/node", "/usr/local/bin/node"]) {
    try {
      const [major = 99, minor = 0] = execFileSync(path, ["-p", "process.versions.node"], { encoding: "utf8" })
        .trim()
        .split(".")
        .map(Number);
      if (major < 22 || (major === 22 && minor < 18)) return path;
    } catch {
      // Not there.
    }
  }
  return undefined;
}

let folder: string;
let copy: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "stepfall-launcher-"));
  mkdirSync(join(folder, "node_modules", "stepfall", "bin"), { recursive: true });
  copy = join(folder, "node_modules", "stepfall", "bin", "stepfall.js");
  copyFileSync(launcher, copy);
  writeFileSync(join(folder, "node_modules", "stepfall", "package.json"), '{"type":"module"}');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const old = oldNode();
/** Without an old Node, one that says it is old: the launcher looks at nothing but the version. */
function runOld(args: string[]): { status: number | null; stdout: string; stderr: string } {
  if (old) return spawnSync(old, [copy, ...args], { encoding: "utf8" });
  const pretend = join(folder, "pretend.cjs");
  writeFileSync(pretend, "Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.20.2' } });");
  return spawnSync(process.execPath, ["--require", pretend, copy, ...args], { encoding: "utf8" });
}

test("on an old Node with nothing beside it: two sentences, exit 2", () => {
  const { status, stdout, stderr } = runOld(["ps"]);
  expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
  expect(stderr).toMatch(/^stepfall needs Node 22\.18 or newer, and this is Node \d+\.\d+\.\d+\.\nRun `npm i node@24` beside it.*\n$/);
});

test("on an old Node beside a node package whose install script was not allowed: says what to run, exit 2", () => {
  const beside = join(folder, "node_modules", "node");
  mkdirSync(beside, { recursive: true });
  writeFileSync(join(beside, "package.json"), JSON.stringify({ version: "24.21.0" }));
  const { status, stderr } = runOld(["ps"]);
  expect(status).toBe(2);
  expect(stderr).toContain(`Run \`npm rebuild node\` in ${folder}`);
});

test("on an old Node with a good one beside it: that one runs it, with the arguments, the exit code and the signal of the program", () => {
  const beside = join(folder, "node_modules", "node");
  mkdirSync(join(beside, "bin"), { recursive: true });
  writeFileSync(join(beside, "package.json"), JSON.stringify({ version: "24.21.0" }));
  const binary = join(beside, "bin", "node");
  const stand = (body: string): void => {
    writeFileSync(binary, `#!/bin/sh\n${body}\n`);
    chmodSync(binary, 0o755);
  };
  stand('echo "ran: $*"; exit 7');
  expect(runOld(["show", "a b"])).toMatchObject({ status: 7, stdout: `ran: ${copy} show a b\n` });
  stand("kill -TERM $$");
  expect(runOld(["ps"])).toMatchObject({ status: null, signal: "SIGTERM" });
  writeFileSync(join(beside, "package.json"), JSON.stringify({ version: "20.1.0" }));
  expect(runOld(["ps"]).status).toBe(2);
});

test("nothing but the program's own words reaches stderr: no experimental warning", () => {
  const { stderr, status } = spawnSync(process.execPath, [launcher, "ps", "--home", join(folder, "home")], {
    encoding: "utf8",
    cwd: folder,
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: "No runs yet.\n" });
});

test("--help loads little: no SDK, no schema library, no YAML, no SQLite", () => {
  const traced = spawnSync(process.execPath, [launcher, "--help"], {
    encoding: "utf8",
    env: { ...process.env, NODE_DEBUG: "esm" },
    maxBuffer: 1 << 28,
  });
  expect(traced.stdout).toMatch(/Usage: stepfall/);
  expect(traced.stderr).not.toMatch(/node_modules\/(zod|yaml|ink|react|ai|hono|gpt-tokenizer)\//);
});
