import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { Scene } from "../../src/cli/cli.testkit.ts";
import { keptBy } from "./run-journal.testkit.ts";

const examples = fileURLToPath(new URL("../../examples", import.meta.url));
const read = (...path: string[]): string => readFileSync(join(examples, ...path), "utf8");

const writes = (path: string, content: string) => ({ toolCalls: [{ name: "write_file", arguments: { path, content } }] });
const done = { text: "Done." };
const json = (value: unknown): string => JSON.stringify(value);
const settings = `slots: 2
agents: { coder: { executor: chat, model: scripted/m, tier: mid } }
providers: { scripted: { script: model.json, prices: { m: { input: 1, output: 2 } } } }
`;

test("the batch of tasks, run on the sample shop: each is judged by its own gates, in the order that it says", async () => {
  const shop = ["README.md", "package.json", "src/cart.js", "test/cart.test.js"];
  const mended = read("fix-and-verify", "project", "src/cart.js").replace("+ item.price,", "+ item.price * (item.quantity ?? 1),");
  const rules = [
    // It forgets the word that the gate looks for, and is told so.
    { when: { lastUser: "The attempt before this one was refused" }, turns: [writes("docs/totals.md", "Prices times quantity.\n"), done] },
    { when: { user: "Describe how totals" }, turns: [writes("docs/totals.md", "Prices are added up.\n"), done] },
    { when: { user: "Let total() count" }, turns: [writes("src/cart.js", mended), done] },
    { when: { user: "Fix the failing test" }, turns: [writes("src/cart.js", mended), done] },
  ];
  await using scene = new Scene({
    ...Object.fromEntries(shop.map((name) => [name, read("fix-and-verify", "project", ...name.split("/"))])),
    "model.json": json({ models: ["m"], rules }),
    "stepfall.yaml": settings,
    "tasks.yaml": read("batch", "tasks.yaml"),
  });
  const { code, values } = await scene.json("do", "--batch", "tasks.yaml");
  const result = values.at(-1) as { branch: string; steps: { id: string; status: string; attempts: { phase: string }[] }[] };
  expect(code, json(result)).toBe(0);
  expect(result.steps.map((s) => [s.id, s.status, s.attempts.map((a) => a.phase)])).toEqual([
    ["fix-the-failing-test", "completed", ["merged"]],
    ["totals", "completed", ["merged"]],
    ["describe-how-totals-are-made-up-for", "completed", ["rejected", "merged"]],
  ]);
  expect(scene.git("show", `${result.branch}:src/cart.js`)).toContain("item.quantity ?? 1");
  expect(scene.git("show", `${result.branch}:docs/totals.md`)).toBe("Prices times quantity.");
});

function typedPipeline(risk: string): Scene {
  const changed = ["a.txt", "b.txt"];
  const plan = { title: "Two small things", risk, changes: changed.map((file) => ({ file, what: "say so" })) };
  const rules = [
    { when: { user: "Plan what version 2.0" }, turns: [writes("release.json", json(plan)), done] },
    ...changed.map((file) => ({ when: { user: `In ${file}: say so` }, turns: [writes(file, "so\n"), done] })),
    { when: { user: "Write the release notes of 2.0: Two small things" }, turns: [writes("RELEASE.md", "2.0\n"), done] },
  ];
  return new Scene({ "model.json": json({ models: ["m"], rules }), "stepfall.yaml": settings });
}
const file = join(examples, "typed-pipeline", "release.ts");
const release = ["run", file, "--with", "version=2.0", "--with", "test=test -f a.txt && test -f b.txt"];
const leftBy = async (scene: Scene): Promise<string> =>
  scene.git("ls-tree", "-r", "--name-only", `stepfall/${(await keptBy(scene)).runId}`).replaceAll("\n", " ");
const all = "README.md RELEASE.md a.txt b.txt model.json release.json stepfall.yaml";

test("the typed pipeline, run from its TypeScript file: a plan of low risk is carried out without asking anybody", async () => {
  await using scene = typedPipeline("low");
  const ended = await scene.run(release);
  expect(ended.code, ended.stderr).toBe(0);
  expect(await leftBy(scene)).toBe(all);
  expect((await keptBy(scene)).of("InboxOpened")).toEqual([]);
});

test.each([
  { says: "approve", code: 0, left: all },
  { says: "reject", code: 1, left: "README.md model.json release.json stepfall.yaml" },
])("the typed pipeline asks before a plan of high risk: $says decides whether it is carried out", async ({ says, code, left }) => {
  await using scene = typedPipeline("high");
  const asked = await scene.run(release);
  expect(asked.code, asked.stderr).toBe(3);
  expect(asked.stderr).toContain("Two small things: go on although the risk is high?");
  expect((await keptBy(scene)).of("AttemptStarted").map((e) => e.data.step)).toEqual(["plan"]);
  expect((await scene.run([says, "risk!1"])).code).toBe(0);
  const ended = await scene.run(["resume"]);
  expect(ended.code, ended.stderr).toBe(code);
  expect(await leftBy(scene)).toBe(left);
});
