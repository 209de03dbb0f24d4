import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Scene, threeSteps } from "./cli.testkit.ts";

let scene: Scene;
beforeAll(() => {
  const bomb = [
    "a: &a [x, x, x, x, x, x, x, x, x]",
    ..."bcdefghi".split("").map((k, i) => `${k}: &${k} [${Array.from({ length: 9 }, () => `*${"abcdefgh"[i]}`).join(", ")}]`),
  ].join("\n");
  scene = new Scene({
    "good.yaml": threeSteps,
    "unknown-key.yaml": "steps:\n  a: { comand: ls }\n",
    "cycle.yaml": "steps:\n  a: { command: ls, readonly: true, needs: b }\n  b: { command: ls, readonly: true, needs: a }\n",
    "unknown-need.yaml": "steps:\n  a: { command: ls, readonly: true, needs: bb }\n",
    "wrong-type.yaml": "steps:\n  a: { command: [1], readonly: true }\n",
    "duplicate.yaml": "steps:\n  a: { command: ls, readonly: true }\n  a: { command: pwd, readonly: true }\n",
    "empty.yaml": "",
    "no-steps.yaml": "steps: {}\n",
    "bomb.yaml": bomb,
    "large.yaml": `# ${"x".repeat(1 << 20)}\n`,
    "later.yaml": "steps:\n  a: { loop: 3 }\n",
    "agent.yaml": 'steps:\n  a: { prompt: do it, gates: ["true"] }\n',
    "named-agent.yaml": 'steps:\n  a: { prompt: do it, gates: ["true"], agent: ghost }\n',
  });
});
afterAll(() => scene[Symbol.asyncDispose]());

async function refused(args: string[], env: Record<string, string> = {}): Promise<string> {
  const refs = scene.git("for-each-ref");
  const { code, stdout, stderr } = await scene.run(args, { env });
  expect({ code, stdout }, stderr).toEqual({ code: 2, stdout: "" });
  expect(stderr).not.toMatch(/^\s+at |node:internal|Error:/m);
  expect(stderr.trim().split("\n").length).toBeLessThanOrEqual(24);
  expect(scene.homeExists).toBe(false);
  expect(scene.git("for-each-ref")).toBe(refs);
  expect(scene.git("status", "--porcelain")).toBe("");
  return stderr;
}

describe("a pipeline that is wrong is refused on one screen, and nothing is created", () => {
  test.each([
    ["unknown-key.yaml", /unknown-key\.yaml:2:\d+ UNKNOWN_KEY.*command/s],
    ["cycle.yaml", /cycle\.yaml:\d+:\d+ .*(a -> b|b -> a)/s],
    ["unknown-need.yaml", /unknown-need\.yaml:2:\d+ .*bb/],
    ["wrong-type.yaml", /wrong-type\.yaml:2:\d+ WRONG_TYPE/],
    ["duplicate.yaml", /duplicate\.yaml:3:\d+ DUPLICATE_/],
    ["empty.yaml", /PIPELINE_EMPTY/],
    ["no-steps.yaml", /NO_STEPS/],
    ["bomb.yaml", /YAML_ALIAS/],
    ["large.yaml", /FILE_TOO_LARGE/],
    ["later.yaml", /not supported yet/],
    ["missing.yaml", /missing\.yaml FILE_MISSING/],
    [".", /FILE_IS_FOLDER/],
    ["agent.yaml", /STEP_NOT_ROUTABLE: no agent is registered.*--model/s],
    ["named-agent.yaml", /STEP_NOT_ROUTABLE: .*/],
  ])("%s", async (file, says) => {
    expect(await refused(["run", file])).toMatch(says);
  });
});

describe("arguments that are wrong", () => {
  test.each([
    [["rnu", "good.yaml"], /^USAGE: unknown command 'rnu'\.\nDid you mean run\?\n$/],
    [["run"], /^USAGE: nothing is to be run\.\nGive the file of a pipeline, or --again/],
    [["validate"], /^USAGE: missing required argument 'files'\.\n`stepfall validate --help` says/],
    [["run", "agent.yaml", "--agent", "nobody"], /^--agent .*nobody/],
    [["help", "rnu"], /^USAGE: there is no command rnu/],
    [["run", "good.yaml", "--slot", "3"], /unknown option '--slot'.*--slots/s],
    [["run", "good.yaml", "--slots", "many"], /BAD_VALUE/],
    [["run", "good.yaml", "--budget", "lots"], /USAGE: --budget/],
    [["run", "good.yaml", "--grace", "soon"], /BAD_VALUE/],
    [["run", "good.yaml", "--model", "nonsense"], /BAD_MODEL/],
    [["run", "agent.yaml", "--model", "openai/gpt-5-mini"], /PROVIDER_NOT_READY: .*OPENAI_API_KEY/],
    [["run", "agent.yaml", "--budget", "1", "--model", "mine/x", "--model-url", "http://127.0.0.1:9/v1"], /STEP_WITHOUT_PRICE: .*mine\/x/],
    [["show", "01abc"], /RUN_UNKNOWN/],
    [["logs"], /RUN_UNKNOWN/],
    [["watch", "--whatever"], /unknown option '--whatever'/],
    [["up", "--port", "x"], /--port x is not a port/],
    [["up", "--role", "boss"], /--role boss is no role/],
  ])("%j", async (args, says) => {
    expect(await refused(args)).toMatch(says);
  });

  test("PostgreSQL is refused by name", async () => {
    expect(await refused(["run", "good.yaml"], { STEPFALL_DATABASE_URL: "postgres://x" })).toMatch(/NOT_SUPPORTED_YET/);
  });

  test("with --json the refusal is data, too", async () => {
    const { code, values } = await scene.json("run", "cycle.yaml");
    expect(code).toBe(2);
    expect(values).toHaveLength(1);
    expect(values[0]).toMatchObject({ version: 1, type: "error", problems: [{ file: "cycle.yaml" }] });
  });
});

test("outside of a git project, and in one without a commit, a run is refused by name", async () => {
  const outside = await scene.run(["run", join(scene.project, "good.yaml")], { cwd: scene.folder });
  expect(outside).toMatchObject({ code: 2, stdout: "" });
  expect(outside.stderr).toMatch(/PROJECT_NOT_GIT/);
  expect(existsSync(scene.home)).toBe(false);
});

test("--help names every command and exits 0; so does --version", async () => {
  const help = await scene.run(["--help"]);
  expect(help.code).toBe(0);
  const commands = [
    "do",
    "run",
    "resume",
    "ps",
    "show",
    "logs",
    "cost",
    "cancel",
    "inbox",
    "approve",
    "reject",
    "answer",
    "merge",
    "clean",
  ];
  for (const name of [...commands, "validate", "graph", "import", "doctor", "init", "demo"])
    expect(help.stdout).toMatch(new RegExp(`^  ${name} `, "m"));
  expect(await scene.run(["--version"])).toMatchObject({ code: 0, stderr: "", stdout: expect.stringMatching(/^\d+\.\d+\.\d+/) as string });
  expect((await scene.run(["run", "--help"])).stdout).toMatch(/--include-dirty/);
  expect((await scene.run(["help"])).stdout).toBe(help.stdout);
  expect(await scene.run(["help", "run"])).toMatchObject({ code: 0, stdout: (await scene.run(["run", "--help"])).stdout });
});

test("ps where nothing ever ran says so, and makes nothing", async () => {
  expect(await scene.run(["ps"])).toMatchObject({ code: 0, stdout: "", stderr: "No runs yet.\n" });
  expect((await scene.json("ps")).values).toEqual([{ version: 1, runs: [], providers: [] }]);
  expect(scene.homeExists).toBe(false);
});
