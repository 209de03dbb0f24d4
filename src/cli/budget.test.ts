import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Scene } from "./cli.testkit.ts";
import { packageRoot } from "./package-root.ts";

const example = (name: string): string => readFileSync(join(packageRoot, "examples", "fix-and-verify", name), "utf8");

test("a budget stops a run in the middle (exit 4), it waits for more, and goes on with it", async () => {
  await using scene = new Scene({
    "pipeline.yaml": example("pipeline.yaml"),
    "stepfall.yaml": example("stepfall.yaml"),
    "model-script.json": example("model-script.json"),
    "package.json": example("project/package.json"),
    "src/cart.js": example("project/src/cart.js"),
    "test/cart.test.js": example("project/test/cart.test.js"),
  });
  const stopped = await scene.run(["run", "pipeline.yaml", "--budget", "0.0185", "--slots", "1"]);
  expect(stopped.code, stopped.stderr).toBe(4);
  expect(stopped.stderr).toMatch(
    /the budget of the run cannot carry the next call: \$0\.00\d+ of \$0\.0185 spent, and that call reserves up to \$0\.0/,
  );
  expect(stopped.stderr + stopped.stdout).not.toMatch(/run:\w/);
  expect(stopped.stdout).toMatch(/fix-and-verify stopped by its budget/);
  expect(stopped.stdout).toMatch(/the limit is \$0\.0185, .* is spent, and the next call reserves up to \$/);
  const proposed = Number(/resume \w+ --budget (0\.\d+)/.exec(stopped.stdout)?.[1]);
  const needed = Number(/reserves up to \$(0\.\d+)/.exec(stopped.stdout)?.[1]);
  expect(Math.round(proposed * 1e6)).toBeGreaterThanOrEqual(Math.round((0.0185 + needed) * 1e6));
  expect((await scene.run(["ps"])).stdout).toMatch(/ budget .* scripted$/m);

  const again = await scene.run(["resume"]);
  expect(again).toMatchObject({ code: 4, stderr: expect.stringMatching(/is stopped by its budget.*\nRaise it: .*--budget/) as string });

  const resumed = await scene.run(["resume", "--budget", "1"]);
  expect(resumed.code, resumed.stderr).toBe(0);
  const { values } = await scene.json("cost");
  const cost = values[0] as unknown as {
    rows: { microUsd: number }[];
    total: { microUsd: number; provenance: string };
    byStep: { name: string }[];
    scriptedProviders: string[];
  };
  expect(cost.rows.reduce((sum, r) => sum + r.microUsd, 0)).toBe(cost.total.microUsd);
  expect(cost.byStep.map((s) => s.name).sort()).toEqual(["changelog", "fix"]);
  expect(cost.scriptedProviders).toEqual(["scripted"]);

  // What was scripted is still called so when all else of the run is gone.
  expect((await scene.run(["clean", "--yes", "--force"])).code).toBe(0);
  expect((await scene.run(["cost"])).stdout).toMatch(/\(scripted\)[^]*no money was spent; the prices are those of the settings\./);
  expect((await scene.json("ps")).values[0]).toMatchObject({ runs: [{ scripted: true }] });
});
