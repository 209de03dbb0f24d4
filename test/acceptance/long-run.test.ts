import { DEFAULT_TIERS } from "../../src/config/index.ts";
import { mkdtempSync, rmSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { createLocalHost, createShellExecutor, processStartTime } from "../../src/agents/index.ts";
import { Scene } from "../../src/cli/cli.testkit.ts";
import { answerItem, createEngine, type AgentExecution, type DriveEnd, type EngineDeps } from "../../src/engine/index.ts";
import { formatHolder, Registry } from "../../src/fleet/index.ts";
import { SHELL_AGENT } from "../../src/models/index.ts";
import { loadPipeline, resolveInputs } from "../../src/pipeline/index.ts";
import { openSqliteStore } from "../../src/store/index.ts";
import { openProject, openWorkspaces } from "../../src/workspace/index.ts";

const HOUR = 3_600_000;

/** The clock of a machine that is moved on by hours; only it is made up. */
let ahead = 0;
const clock = { now: (): number => Date.now() + ahead };

/** One process' worth of Stepfall on a home: everything is opened anew, as after a restart of the machine. */
async function session<T>(
  home: string,
  project: string,
  use: (parts: {
    drive: (runId: string) => Promise<DriveEnd>;
    deps: EngineDeps;
    engine: ReturnType<typeof createEngine>;
    workspaces: ReturnType<typeof openWorkspaces>;
    head: string;
  }) => Promise<T>,
): Promise<T> {
  const opened = await openProject(project, { env: process.env });
  const registry = new Registry<AgentExecution>();
  registry.register({
    id: SHELL_AGENT,
    tier: "free",
    capabilities: [],
    takesPrompts: false,
    executorKind: "shell",
    account: SHELL_AGENT,
    executor: { executor: createShellExecutor(), maxOutputTokens: 0 },
  });
  const mask = (text: string): string => text;
  const store = await openSqliteStore({ file: join(home, "stepfall.db"), clock });
  const workspaces = openWorkspaces({ project: opened, home });
  const deps: EngineDeps = {
    store,
    clock,
    home,
    node: formatHolder({ host: hostname(), pid: process.pid, startTime: processStartTime(process.pid) ?? "" }),
    registry,
    host: createLocalHost({ home, clock, mask }),
    gateway: () => Promise.reject(new TypeError("no step calls a model")),
    routing: () => ({ tiers: DEFAULT_TIERS }),
    slots: 4,
    baseEnv: { PATH: process.env["PATH"] ?? "" },
    protected: [],
    setup: [],
    mask,
    isDead: () => true,
  };
  const engine = createEngine(deps);
  try {
    return await use({ drive: (runId) => engine.drive(runId, { workspaces }), deps, engine, workspaces, head: opened.head });
  } finally {
    engine[Symbol.dispose]();
    await workspaces.close();
    await store.close();
  }
}

test("a long run with branches, a matrix, nesting, a failure, a question and an approval waits two days over restarts and ends right", async () => {
  await using scene = new Scene();
  const home = mkdtempSync(join(tmpdir(), "stepfall-long-"));
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  const loaded = loadPipeline(fileURLToPath(new URL("../../examples/release-train/pipeline.yaml", import.meta.url)));
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  const inputs = resolveInputs(loaded.pipeline, { version: "2.0.0" });
  if (!inputs.ok) throw new Error(JSON.stringify(inputs.problems));

  await session(home, scene.project, async ({ engine, drive, workspaces, head }) => {
    await engine.start({
      runId: "train",
      pipeline: loaded.pipeline,
      inputs: inputs.inputs,
      workspaces,
      project: scene.project,
      base: head,
      includeDirty: false,
      actor: "test",
    });
    expect(await drive("train")).toEqual({ kind: "people", items: ["train/channel!1"] });
    const { steps } = await engine.load("train");
    expect(steps.get("lint")).toMatchObject({ status: "failed" });
    expect(steps.get("mend")).toMatchObject({ status: "completed" });
    expect([...steps.keys()].filter((path) => path.startsWith("test/"))).toHaveLength(4);
    expect([...steps.keys()].filter((path) => path.startsWith("polish/") && path.endsWith("/add"))).toHaveLength(3);
  });

  // A day passes with the machine off now and then: nobody answers, so the question's default is taken.
  ahead += 20 * HOUR;
  await session(home, scene.project, async ({ drive }) => {
    expect(await drive("train")).toEqual({ kind: "people", items: ["train/channel!1"] });
  });
  ahead += 5 * HOUR;
  await session(home, scene.project, async ({ drive, deps }) => {
    expect(await drive("train")).toEqual({ kind: "people", items: ["train/release!1"] });
    const [row] = await deps.store.listInbox();
    expect(row?.title).toBe("Release 2.0.0 to beta?");
  });
  // Another day, another restart; then somebody agrees while no engine runs.
  ahead += 24 * HOUR;
  await session(home, scene.project, async ({ drive, deps }) => {
    expect((await drive("train")).kind).toBe("people");
    await answerItem(deps.store, clock, { item: "train/release!1", by: "ann", verdict: "approve" }, "cli:ann");
  });
  await session(home, scene.project, async ({ drive, engine }) => {
    expect(await drive("train")).toEqual({ kind: "finished", outcome: "succeeded" });
    const { steps } = await engine.load("train");
    expect(steps.get("stable")).toMatchObject({ status: "skipped", isUnneeded: true });
    expect(steps.size).toBeGreaterThanOrEqual(20);
    const again = [...steps.values()].filter((s) => s.attempts.length > 1).map((s) => s.step.path);
    expect(again, "nothing was done twice").toEqual([]);
  });
  const file = (name: string): string => scene.git("show", `stepfall/train:${name}`);
  expect(file("CHANNEL")).toBe("beta");
  expect(file("ANNOUNCEMENT")).toBe("Release 2.0.0 on beta");
  expect(file("REPORT")).toBe("lint failed, mend succeeded, announce succeeded");
  expect(file("parts/core.txt")).toBe("core 2.0.0");
  expect(file("POLISH.md").split("\n")).toHaveLength(3);
});
