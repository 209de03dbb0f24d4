import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadConfig } from "../../src/config/index.ts";
import { parsePipeline } from "../../src/pipeline/index.ts";
import { inlineCode, read, root, rowsUnder } from "./markdown.ts";
import { commandsByHelp, stepfall, type CommandHelp } from "./program.ts";

const status = read("docs/status.md");
const features = rowsUnder(status.text, "Features").map(([feature = "", state = "", what = "", by = ""]) => ({ feature, state, what, by }));
const namedIn = (heading: string): string[] => rowsUnder(status.text, heading).flatMap(([first = ""]) => inlineCode(first));

let folder: string;
let commands: CommandHelp[];
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "stepfall-status-"));
  commands = await commandsByHelp();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("docs/status.md claims nothing that is not checked", () => {
  test("there are many features, each real, partial or planned, and a partial one says what is missing", () => {
    expect(features.length).toBeGreaterThan(60);
    for (const { feature, state, what } of features) {
      expect(["real", "partial", "planned"], feature).toContain(state);
      if (state === "partial") expect(what, feature).toMatch(/[Mm]issing|not yet|[Nn]ot built/);
    }
  });

  test.each(features.filter((f) => f.state !== "planned"))("$state: $feature: its test files exist and hold tests", ({ by }) => {
    const files = inlineCode(by);
    expect(files.length).toBeGreaterThan(0);
    for (const file of files) {
      expect(existsSync(join(root, file)), file).toBe(true);
      const text = readFileSync(join(root, file), "utf8");
      // A test of its own, or a suite of the room that it runs on something.
      expect(text, file).toMatch(/^\s*(?:test|it)(?:\.\w+)*\(|^\s*\w*[cC]onformance\w*\(/m);
    }
  });

  test("a planned feature names no test", () => {
    for (const f of features.filter((f) => f.state === "planned")) expect(f.by, f.feature).toBe("");
  });
});

describe("commands", () => {
  test("every command that exists is in the table, and no other", () => {
    expect(namedIn("Commands that exist").sort()).toEqual(commands.map((c) => `stepfall ${c.name}`).sort());
  });

  test("every planned command answers by name that it is not supported yet, exit 2", async () => {
    const planned = namedIn("Commands that are planned");
    expect(planned.length).toBeGreaterThan(3);
    for (const command of planned) {
      const { code, stdout, stderr } = await stepfall(command.split(" ").slice(1), { cwd: folder, env: { HOME: folder } });
      expect({ code, stdout }, command).toEqual({ code: 2, stdout: "" });
      expect(stderr, command).toContain(`\`${command}\` is not supported yet`);
    }
  });
});

const step = { prompt: "do it", readonly: true } as const;
const pipelines: Readonly<Record<string, (key: string) => object>> = {
  "Keys of a pipeline that are planned": (key) => ({ [key]: {}, steps: { a: step } }),
  "Kinds of steps that are planned": (key) => ({ steps: { a: { [key]: "x" } } }),
};
describe("what pipelines and settings cannot say yet is answered by name", () => {
  test.each(Object.entries(pipelines))("%s", (heading, make) => {
    const keys = namedIn(heading);
    expect(keys.length).toBeGreaterThan(0);
    for (const key of keys) {
      const parsed = parsePipeline(JSON.stringify(make(key)), "p.yaml");
      const said = parsed.ok ? [] : parsed.problems.filter((p) => p.code === "NOT_SUPPORTED_YET" && p.message.includes(key));
      expect(said, key).not.toEqual([]);
    }
  });

  test("the published schema and the tables name the same", () => {
    const { $comment } = JSON.parse(readFileSync(join(root, "schema/pipeline.schema.json"), "utf8")) as { $comment: string };
    const listed = new Set($comment.replace("Not supported yet:", "").match(/[a-z][a-z-]+/g));
    expect([...new Set(Object.keys(pipelines).flatMap(namedIn))].sort()).toEqual([...listed].sort());
  });

  test("executors and settings", () => {
    const settings = (text: object): readonly { code: string; message: string }[] => {
      const loaded = loadConfig({ env: { HOME: folder }, home: folder, projectDir: folder, projectText: JSON.stringify(text) });
      return loaded.ok ? [] : loaded.problems;
    };
    const executors = namedIn("Executors that are planned");
    const keys = namedIn("Settings that are planned");
    expect(executors.length).toBeGreaterThan(0);
    expect(keys.length).toBeGreaterThan(3);
    for (const executor of executors)
      expect(settings({ agents: { a: { executor } } }), executor).toContainEqual(expect.objectContaining({ code: "NOT_SUPPORTED_YET" }));
    for (const key of keys) expect(settings({ [key]: {} }), key).toContainEqual(expect.objectContaining({ code: "NOT_SUPPORTED_YET" }));
  });
});
