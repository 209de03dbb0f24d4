import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Step } from "../../domain/index.ts";
import { compileJsonSchema, expandGroup, formatProblems, loadPipeline } from "../../pipeline/index.ts";
import { Scene } from "../cli.testkit.ts";

const write = (path: string, content: unknown) => ({
  toolCalls: [{ name: "write_file", arguments: { path, content: typeof content === "string" ? content : JSON.stringify(content) } }],
});
const done = { text: "Done." };
const part = (name: string, files: string[]) => ({ id: name, title: `The ${name}`, prompt: `Write the ${name}.`, files });

const scouted = write(".stepfall/plan/scout-report.json", {
  summary: "an empty shop: SCOUTED",
  files: [{ path: "README.md", why: "names the shop" }],
});

/** A scout that meddles at first, a planner that reaches out of the project at first, and two builders. */
const script = {
  models: ["m"],
  rules: [
    { when: { lastUser: "the step is readonly" }, turns: [scouted, done] },
    { when: { user: "Look at this project with one goal in mind" }, turns: [write("src/meddled.txt", "a scout was here"), scouted, done] },
    {
      when: { lastUser: "does not satisfy its schema" },
      turns: [
        write(".stepfall/plan/plan.json", {
          items: [part("greeting", ["src/greeting.txt", "docs"]), part("farewell", ["src/farewell.txt"])],
        }),
        done,
      ],
    },
    {
      when: { user: "Divide a goal into parts", anywhere: "SCOUTED" },
      turns: [write(".stepfall/plan/plan.json", { items: [part("greeting", ["../elsewhere.txt"])] }), done],
    },
    { when: { user: "Write the greeting." }, turns: [write("src/greeting.txt", "hello\n"), done] },
    { when: { user: "Write the farewell." }, turns: [write("src/farewell.txt", "bye\n"), done] },
  ],
};
const settings = "agents: { coder: { executor: chat, model: x/m } }\nproviders: { x: { script: script.json } }\n";

interface Result {
  status: string;
  branch: string;
  steps: { id: string; status: string; attempts: { phase: string; dropped?: string[]; findings: { message: string }[] }[] }[];
}

test("the template scouts, plans and builds: both parts are merged, a scout that changes something is refused, and nothing of the plan is left", async () => {
  await using scene = new Scene({
    "package.json": JSON.stringify({ scripts: { test: "node check.cjs" } }),
    "check.cjs": "process.exit(require('fs').existsSync('README.md') ? 0 : 1)\n",
    "script.json": JSON.stringify(script),
    "stepfall.yaml": settings,
  });
  const init = await scene.json("init", "--template", "scout-plan-build");
  expect(init.values[0]).toMatchObject({ written: ["pipeline.yaml"], kept: ["stepfall.yaml"], gates: ["npm test"] });

  const { code, values } = await scene.json("run", "pipeline.yaml", "--with", "goal=Let the shop greet");
  const result = values.at(-1) as unknown as Result;
  expect(code, JSON.stringify(result, null, 1)).toBe(0);
  const step = (id: string) => result.steps.find((s) => s.id === id);
  expect(result.steps.map((s) => s.id)).toEqual(expect.arrayContaining(["build/greeting", "build/farewell"]));
  expect(step("scout")?.attempts.map((a) => a.phase)).toEqual(["rejected", "accepted"]);
  expect(step("scout")?.attempts[0]?.findings[0]?.message).toBe("the step is readonly and 1 file changed");
  expect(step("plan")?.attempts.map((a) => a.phase)).toEqual(["rejected", "accepted"]);
  expect(step("plan")?.attempts[0]?.findings[0]?.message).toMatch(/plan\.json\/items\/0\/files\/0 must match pattern/);
  const files = scene.git("ls-tree", "-r", "--name-only", result.branch).split("\n");
  expect(files).toEqual(expect.arrayContaining(["src/greeting.txt", "src/farewell.txt"]));
  expect(files.filter((f) => f.startsWith(".stepfall") || f.includes("meddled"))).toEqual([]);
  expect(scene.git("show", `${result.branch}:src/greeting.txt`)).toBe("hello");
});

const template = loadPipeline(fileURLToPath(new URL("../../../examples/scout-plan-build/pipeline.yaml", import.meta.url)));
if (!template.ok) throw new Error(formatProblems(template.problems));
const stepOf = (id: string): Step => {
  const step = template.pipeline.steps.find((s) => s.path === id);
  if (!step) throw new Error(`no step ${id}`);
  return step;
};
const compiled = compileJsonSchema(stepOf("plan").outputs.json?.schema ?? {});
const isPlan = (items: unknown): boolean => compiled.ok && compiled.validate({ items }).length === 0;

test("a plan is bounded: one part to eight, each with one file to six, all inside the project", () => {
  const parts = (n: number) => Array.from({ length: n }, (_, i) => part(`part${i}`, [`src/${i}.ts`]));
  expect([0, 1, 8, 9].map((n) => isPlan(parts(n)))).toEqual([false, true, true, false]);
  const files = (...names: string[]): boolean => isPlan([part("a", names)]);
  expect([files(), files("a"), files(..."abcdef"), files(..."abcdefg")]).toEqual([false, true, true, false]);
  for (const good of ["a", "./a", "src/a b.ts", ".github/x.yml", "docs/", "a..b", ".gitignore", "ü/ñ.md"])
    expect([good, files(good)]).toEqual([good, true]);
  for (const bad of [
    "",
    " ",
    "/etc",
    "~/x",
    "../x",
    "a/../b",
    "a/..",
    "*",
    "src/**",
    "{a,b}",
    "!a",
    "a[1]",
    ".git/config",
    "./.git",
    "C:\\x",
    "a\nb",
    " a",
    "a ",
  ])
    expect([bad, files(bad)]).toEqual([bad, false]);
});

test("whatever plan is accepted, its parts become steps that touch just its files", () => {
  const name = fc.oneof(fc.stringMatching(/^[a-z./ -]{1,12}$/), fc.string({ minLength: 1, maxLength: 20 }));
  const build = stepOf("build");
  if (build.kind !== "group") throw new Error("no group");
  fc.assert(
    fc.property(fc.array(fc.array(name, { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 8 }), (lists) => {
      const items = lists.map((files, i) => part(`part-${i}`, files));
      fc.pre(isPlan(items));
      const scope = {
        inputs: { goal: "g" },
        steps: { plan: { outcome: "succeeded" as const, output: { items } } },
        run: { id: "r", branch: "b" },
      };
      const expanded = expandGroup(build, scope, 1);
      expect(expanded).toMatchObject({ ok: true });
      if (!expanded.ok) return;
      expect(expanded.children.map((c) => new Set(c.touches))).toEqual(lists.map((files) => new Set(files)));
    }),
  );
});

test("init refuses to put a template where a pipeline is, and names the templates it has", async () => {
  await using scene = new Scene({ "pipeline.yaml": "steps: {}\n" });
  expect(await scene.run(["init", "--template", "scout-plan-build"])).toMatchObject({
    code: 2,
    stdout: "",
    stderr: expect.stringMatching(/^FILE_EXISTS: pipeline\.yaml/) as string,
  });
  expect(readFileSync(join(scene.project, "pipeline.yaml"), "utf8")).toBe("steps: {}\n");
  expect((await scene.run(["init", "--template", "nothing"])).stderr).toMatch(
    /^USAGE: there is no template nothing\.\nThe templates are: approval, scout-plan-build\./,
  );
  expect((await scene.run(["init", "--help"])).stdout).toMatch(/--template <name> .*scout-plan-build/s);
});
