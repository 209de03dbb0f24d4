import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { loadConfig, type BudgetsSettings } from "./index.ts";

function load(project: string, user = ""): ReturnType<typeof loadConfig> {
  const home = mkdtempSync(join(tmpdir(), "stepfall-config-"));
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  writeFileSync(join(home, "config.yaml"), user);
  return loadConfig({ env: {}, home, projectDir: "/nowhere", projectText: project });
}
function budgets(project: string, user?: string): BudgetsSettings {
  const loaded = load(project, user);
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  return loaded.config.budgets;
}
function problem(project: string): string {
  const loaded = load(project);
  return loaded.ok ? "" : loaded.problems.map((p) => `${p.code} ${p.message}. ${p.hint}`).join("\n");
}

test("budgets are amounts in USD, those of the fleet and of a project by period", () => {
  expect(budgets("budget: { fleet: { usd: 50, per: day }, project: $3.50, run: 5, step: 2, attempt: 1 }")).toEqual({
    fleet: [{ limit: 50_000_000, per: "day" }],
    project: [{ limit: 3_500_000, per: "ever" }],
    run: 5_000_000,
    step: 2_000_000,
    attempt: 1_000_000,
  });
  expect(budgets("")).toEqual({ fleet: [], project: [] });
});

test("a project may narrow what its user allows, and never widen it", () => {
  const user = "budget: { run: 5, step: 2, project: { usd: 20, per: week }, fleet: { usd: 50, per: day } }";
  expect(budgets("budget: { run: 100, step: 1, attempt: 3, project: { usd: 90, per: week }, fleet: { usd: 10, per: day } }", user)).toEqual(
    {
      fleet: [{ limit: 10_000_000, per: "day" }],
      project: [{ limit: 20_000_000, per: "week" }],
      run: 5_000_000,
      step: 1_000_000,
      attempt: 3_000_000,
    },
  );
  // Limits of different periods cannot be compared: both count.
  expect(budgets("budget: { fleet: 100 }", user).fleet).toEqual([
    { limit: 100_000_000, per: "ever" },
    { limit: 50_000_000, per: "day" },
  ]);
});

test("it is told which file a limit comes from", () => {
  const loaded = load("budget: { run: 100, step: 1 }", "slots: 2\nbudget: { run: 5, step: 2 }");
  expect(loaded.ok && [loaded.config.origins["budget.run"]?.kind, loaded.config.origins["budget.step"]?.kind]).toEqual(["user", "project"]);
});

test("what is no budget is refused with what to write", () => {
  expect(problem("budget: 5")).toMatch(/expected a map/);
  expect(problem("budget: { fleet: { usd: 1, per: year } }")).toMatch(/day.*week.*month.*ever/);
  expect(problem("budget: { run: { usd: 1, per: day } }")).toMatch(/budget\.run/);
  expect(problem("budget: { runs: 3 }")).toMatch(/Did you mean `run`/);
  expect(problem("budget: { project: -1 }")).toMatch(/BAD_MONEY.*negative/);
});
