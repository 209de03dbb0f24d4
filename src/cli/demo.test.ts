import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Scene } from "./cli.testkit.ts";

test("the demo: one attempt fails its gate, the next gets the findings, all is merged, verified and billed", async () => {
  await using scene = new Scene();
  const { code, stdout, stderr } = await scene.run(["demo"], { env: { TMPDIR: scene.folder, STEPFALL_HOME: "" } });
  expect(code, stderr).toBe(0);
  expect(stderr).toMatch(/The model is scripted/);
  expect(stderr).toMatch(/fix#1 refused by gate node --test: `node --test` exits 1/);
  expect(stderr).toMatch(/fix#2 accepted \(passed: node --test\)/);
  expect(stdout).toMatch(/4 of 4 steps completed/);
  expect(stdout).toMatch(/CHANGELOG\.md \| 3 \+\+\+\n src\/cart\.js {2}\| 2 \+-\n 2 files changed/);
  expect(stdout).toMatch(/fix#1 +coder +scripted\/coder-1 \(scripted\) +metered +3 .* reported/);
  expect(stdout).toMatch(/Scripted model: its answers came from a file and no money was spent/);

  // The three commands work from anywhere, as printed.
  const folder = join(scene.folder, readdirSync(scene.folder).find((n) => n.startsWith("stepfall-demo-")) ?? "");
  const commands = [...stdout.matchAll(/^ {2}(?:node \S+|stepfall) (--home .*)$/gm)].map((m) => m[1]?.split(" ") ?? []);
  expect(commands.map((c) => c[2])).toEqual(["show", "logs", "merge"]);
  for (const args of commands) expect((await scene.run(args, { cwd: scene.folder })).code).toBe(0);
  expect(readFileSync(join(folder, "sample-shop", "src", "cart.js"), "utf8")).toContain("item.quantity ?? 1");
  // No process of it is left on record.
  const runs = join(folder, "home", "runs");
  expect(readdirSync(join(runs, readdirSync(runs)[0] ?? "")).filter((n) => n.startsWith("scripted-"))).toEqual([]);
});

test("the demo as data: the bill adds up, and --home says where it is kept", async () => {
  await using scene = new Scene();
  const { code, stdout } = await scene.run(["demo", "--json", "--home", scene.home], { env: { TMPDIR: scene.folder } });
  expect(code).toBe(0);
  const lines = stdout
    .trim()
    .split("\n")
    .map((l) => JSON.parse(l) as Record<string, unknown>);
  const result = lines.at(-1) as {
    type: string;
    status: string;
    scriptedProviders: string[];
    bill: { rows: { calls: number; microUsd: number }[]; total: { calls: number; microUsd: number } };
  };
  expect(result).toMatchObject({ version: 1, type: "result", status: "succeeded", scriptedProviders: ["scripted"] });
  const { rows, total } = result.bill;
  expect(total.calls).toBe(10);
  expect(total.microUsd).toBeGreaterThan(0);
  expect(rows.reduce((sum, r) => sum + r.microUsd, 0)).toBe(total.microUsd);
  expect(existsSync(join(scene.home, "stepfall.db"))).toBe(true);
});
