import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import { Scene, type Ended } from "../../src/cli/cli.testkit.ts";
import { openSqliteStore } from "../../src/store/index.ts";
import { keptBy, type Kept } from "../acceptance/run-journal.testkit.ts";
import { isGateway, namesIn, processesIn } from "../crash/processes.ts";

/** A project with a pipeline in `p.yaml` that is made for the scene's folder, committed. */
export function faultScene(pipeline: (folder: string) => string, settings?: (folder: string) => string): Scene {
  const scene = new Scene();
  scene.write({ "p.yaml": pipeline(scene.folder), ...(settings ? { "stepfall.yaml": settings(scene.folder) } : {}) });
  scene.git("add", "--all");
  scene.git("commit", "--quiet", "--message", "pipeline");
  return scene;
}

/** Three steps in a row; the one in the middle works until the test writes a file `go`, and says in `slow.log` that it began. */
export const waitingPipeline = (folder: string): string => `steps:
  first: { command: "echo 1 > first.txt; echo ran >> ${folder}/first.log", outputs: [first.txt] }
  slow: { needs: first, command: "echo ran >> ${folder}/slow.log; while [ -d ${folder} ] && [ ! -f ${folder}/go ]; do sleep 0.05; done; echo 2 > slow.txt", outputs: [slow.txt] }
  last: { needs: slow, command: "cat first.txt slow.txt > last.txt", outputs: [last.txt] }
`;
export const waitingTree = ["README.md", "first.txt", "last.txt", "p.yaml", "slow.txt"];

/** How often a step has begun, by its own account. */
export function times(scene: Scene, step: string): number {
  const file = join(scene.folder, `${step}.log`);
  return existsSync(file) ? readFileSync(file, "utf8").trim().split("\n").length : 0;
}

export async function until(holds: () => boolean | Promise<boolean>, what: string, withinMs = 30_000): Promise<void> {
  const end = performance.now() + withinMs;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`not within ${withinMs} ms: ${what}`);
    await sleep(20);
  }
}

/** A person is told in sentences. */
export function expectSentences({ stderr, stdout }: Ended): void {
  const said = `${stderr}\n${stdout}`;
  expect(said).not.toMatch(/^\s+at .+:\d+:\d+\)?$/m);
  expect(said).not.toMatch(/INTERNAL|internal error|Unhandled|node:internal|Node\.js v\d/);
}

/** A run that went well: each step was accepted once and merged once, and the branch holds these files. */
export async function expectDoneOnce(scene: Scene, files: readonly string[], journal?: Kept): Promise<Kept> {
  const kept = journal ?? (await keptBy(scene));
  const steps =
    kept
      .of("RunStarted")[0]
      ?.data.pipeline.steps.map((s) => s.path)
      .toSorted() ?? [];
  const once = (found: readonly { data: { step: string } }[]): string[] => found.map((e) => e.data.step).toSorted();
  expect(once(kept.of("AttemptAccepted"))).toEqual(steps);
  expect(once(kept.of("StepCompleted"))).toEqual(steps);
  expect(kept.of("RunFinished").map((e) => e.data.outcome)).toEqual(["succeeded"]);
  expect(filesOf(scene, kept.runId)).toEqual(files);
  // One merge for each step that changed something.
  const merges = scene.git("log", "--format=%H", `main..stepfall/${kept.runId}`, "--first-parent").split("\n");
  expect(merges).toHaveLength(kept.of("ResultMerged").length);
  return kept;
}

export const filesOf = (scene: Scene, runId: string): string[] =>
  scene.git("ls-tree", "-r", "--name-only", `stepfall/${runId}`).split("\n").toSorted();

/** When nothing runs: no process, no lease, no keeper, no record of a process, no workspace. The gateway may stay for its idle time. */
export async function expectNothingLeft(scene: Scene, but: { workspaces?: boolean } = {}): Promise<void> {
  const living = (): string[] =>
    processesIn(scene.folder).flatMap((p) => (isGateway(p) ? [] : [`${p.pid} ${p.attempt ?? ""} ${p.command.slice(0, 100)}`]));
  await until(() => living().length === 0, `processes are gone: ${living().join("; ")}`).catch((error: unknown) => {
    throw new Error(`left: ${living().join("; ")}`, { cause: error });
  });
  for (const folder of ["keepers", "processes", "processes/.pipes", ...(but.workspaces ? [] : ["workspaces"])])
    expect(
      namesIn(join(scene.home, folder)).filter((name) => name !== ".pipes"),
      folder,
    ).toEqual([]);
  const store = await openSqliteStore({ file: join(scene.home, "stepfall.db"), clock: { now: () => Date.now() } });
  try {
    expect(await store.leases("")).toEqual([]);
  } finally {
    await store.close();
  }
}
