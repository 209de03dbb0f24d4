import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Scene } from "../cli.testkit.ts";

/** `validate`, `graph`, `import`: commands that read a file and start nothing. */
let scene: Scene;
const many = Array.from({ length: 14 }, (_, i) => `  s${i}: { comand: ls }`).join("\n");
const workflow = `name: ci
on: push
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - run: make
  test:
    needs: build
    runs-on: ubuntu-latest
    steps:
      - run: make test
      - uses: someone/else@v1
`;
beforeAll(() => {
  scene = new Scene({
    "good.yaml":
      "inputs:\n  n: { type: integer, default: 3 }\nsteps:\n  a: { command: ls, readonly: true }\n  b: { command: ls, readonly: true, needs: a, if: inputs.n > 2 }\n",
    "plain.yaml": "steps:\n  a: { command: ls, readonly: true }\n",
    "nest/outer.yaml": "steps:\n  in: { pipeline: ./inner.yaml }\n",
    "nest/inner.yaml": "steps:\n  a: { command: ls, readonly: true, needs: b }\n",
    "many.yaml": `steps:\n${many}\n`,
    "ci.yml": workflow,
  });
});
afterAll(() => scene[Symbol.asyncDispose]());

const startsNothing = (): void => {
  expect(scene.homeExists).toBe(false);
  expect(scene.git("for-each-ref")).not.toMatch(/stepfall/);
};

describe("validate", () => {
  test("a line for each good file, with its inputs", async () => {
    expect(await scene.run(["validate", "good.yaml", "plain.yaml"])).toMatchObject({
      code: 0,
      stdout: "good.yaml ok: 2 steps; input n (integer, default 3)\nplain.yaml ok: 1 step\n",
      stderr: "",
    });
    startsNothing();
  });

  test("all problems of all files, under the names that were typed, and exit code 2", async () => {
    const { code, stdout, stderr } = await scene.run(["validate", "many.yaml", "plain.yaml", "nest/outer.yaml", "none.yaml"]);
    expect(code).toBe(2);
    expect(stdout).toBe("plain.yaml ok: 1 step\n");
    expect(stderr.match(/^many\.yaml:\d+:\d+ UNKNOWN_KEY/gm)).toHaveLength(14);
    expect(stderr).toMatch(/^nest\/inner\.yaml:2:\d+ UNKNOWN_NEED: .*\n {2}2 \| {3}a: /m);
    expect(stderr).toMatch(/^none\.yaml FILE_MISSING/m);
    expect(stderr).not.toContain("more");
  });

  test("as data", async () => {
    const { code, values } = await scene.json("validate", "good.yaml", "many.yaml");
    expect(code).toBe(2);
    expect(values).toHaveLength(1);
    expect(values[0]).toMatchObject({
      version: 1,
      files: [
        { file: "good.yaml", ok: true, steps: 2, inputs: { n: { type: "integer", default: 3 } }, problems: [] },
        { file: "many.yaml", ok: false },
      ],
    });
  });
});

describe("graph", () => {
  test("as text, as Mermaid, as nodes and edges", async () => {
    expect((await scene.run(["graph", "good.yaml"])).stdout).toMatch(
      /^good\n1 {2}a {2}command\n2 {2}b {2}command +after a; if inputs\.n > 2\n$/,
    );
    expect((await scene.run(["graph", "good.yaml", "--mermaid"])).stdout).toMatch(/^flowchart TD\n[^]*s0 --> s1\n$/);
    const { code, values } = await scene.json("graph", "good.yaml");
    expect(code).toBe(0);
    expect(values[0]).toMatchObject({
      version: 1,
      name: "good",
      nodes: [
        { id: "a", kind: "command", layer: 1 },
        { id: "b", kind: "command", layer: 2, notes: ["if inputs.n > 2"] },
      ],
      edges: [{ from: "a", to: "b" }],
    });
    startsNothing();
  });

  test("a file that is wrong is refused as `run` would", async () => {
    expect(await scene.run(["graph", "many.yaml"])).toMatchObject({ code: 2, stdout: "" });
  });
});

describe("import", () => {
  test("a workflow becomes a pipeline on stdout, and what is not the same is said on stderr, by line", async () => {
    const { code, stdout, stderr } = await scene.run(["import", "ci.yml"]);
    expect(code).toBe(0);
    expect(stderr).toMatch(/^ci\.yml:14 .*someone\/else@v1/m);
    scene.write({ "imported.yaml": stdout });
    expect((await scene.run(["validate", "imported.yaml"])).stdout).toMatch(/^imported\.yaml ok: 2 steps/);
    expect((await scene.json("graph", "imported.yaml")).values[0]).toMatchObject({ edges: [{ from: "build", to: "test" }] });
    startsNothing();
  });

  test("with --out it writes the file, and never over one", async () => {
    const { code, stdout } = await scene.run(["import", "ci.yml", "--out", "out.yaml"]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: "wrote out.yaml: 2 steps\n" });
    expect(readFileSync(join(scene.project, "out.yaml"), "utf8")).toMatch(/^steps:$/m);
    const again = await scene.run(["import", "ci.yml", "--out", "plain.yaml"]);
    expect(again).toMatchObject({
      code: 2,
      stdout: "",
      stderr: expect.stringMatching(/^FILE_EXISTS: plain\.yaml is there already/) as string,
    });
    expect(readFileSync(join(scene.project, "plain.yaml"), "utf8")).toContain("command: ls");
    expect((await scene.run(["import", "ci.yml", "--out", "no/such/folder.yaml"])).code).toBe(2);
    expect(existsSync(join(scene.project, "no"))).toBe(false);
  });

  test("what is no workflow is refused with a sentence", async () => {
    expect(await scene.run(["import", "plain.yaml"])).toMatchObject({
      code: 2,
      stdout: "",
      stderr: expect.stringMatching(/NO_JOBS: The workflow has no jobs/) as string,
    });
    expect(await scene.run(["import", "none.yml"])).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^none\.yml FILE_MISSING/) as string,
    });
    const { values } = await scene.json("import", "ci.yml");
    expect(values[0]).toMatchObject({
      version: 1,
      file: "ci.yml",
      out: null,
      unloadable: [],
      dag: { edges: [{ from: "build", to: "test" }] },
    });
  });
});
