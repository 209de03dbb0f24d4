import { writeSync } from "node:fs";
import { resolve } from "node:path";
import { homeOf, loadSettings } from "../../src/setup/settings.ts";
import { assemble } from "../../src/setup/assemble.ts";
import { requirePreflight } from "../../src/setup/preflight.ts";
import { buildRegistry } from "../../src/setup/registry.ts";
import { checkRequirements } from "../../src/setup/requirements.ts";
import { saveOptions } from "../../src/setup/run-options.ts";
import { ScriptedModels } from "../../src/setup/scripted-models.ts";
import { openOutput } from "../../src/cli/output.ts";
import type { Cli } from "../../src/cli/cli.ts";
import { createEngine } from "../../src/engine/index.ts";
import { loadPipeline } from "../../src/pipeline/index.ts";
import type { Store } from "../../src/store/index.ts";
import { openProject, openWorkspaces } from "../../src/workspace/index.ts";
import type { Halt } from "./scene.ts";

/**
 * The victim: starts and drives a run as `stepfall run --wait` does, and kills or stops itself before or after the k-th commit to the store.
 * What it is to do is one JSON argument. Lines on stdout: `{"begun"}`, `{"halted"}`, and `{"end","commits"}` when it lives to the end.
 */
const asked = JSON.parse(process.argv[2] ?? "") as { file: string; runId: string; halt?: Halt; leaseMs?: number };
const { runId, halt } = asked;
// Written before the process stops: through a stream it would be in memory then.
const tell = (line: unknown): void => void writeSync(1, `${JSON.stringify(line)}\n`);

const cli: Cli = {
  env: { ...process.env },
  cwd: process.cwd(),
  clock: { now: () => Date.now() },
  out: openOutput(process, process.env),
  json: true,
  canAsk: false,
  program: "stepfall",
};

let commits = 0;
function haltNow(): void {
  tell({ halted: commits });
  process.kill(process.pid, halt?.act === "kill" ? "SIGKILL" : "SIGSTOP");
}
function haltAtCommit(store: Store): Store {
  return {
    ...store,
    async commit(commit) {
      commits += 1;
      const isIt = commits === halt?.commit;
      if (isIt && halt?.side === "before") haltNow();
      const committed = await store.commit(commit);
      if (isIt && halt?.side === "after") haltNow();
      return committed;
    },
  };
}

const loaded = loadPipeline(resolve(cli.cwd, asked.file));
if (!loaded.ok) throw new TypeError(JSON.stringify(loaded.problems));
const { pipeline } = loaded;
const project = await openProject(cli.cwd, { env: cli.env });
const config = await loadSettings(cli, { project, at: project.head });
const scripted = new ScriptedModels(homeOf(cli), runId);
const registry = buildRegistry(config, scripted.urls);
await using assembled = await assemble(cli, { config, project, registry, scripted, keepWorkspaces: false });
const { deps } = assembled;
const needed = checkRequirements(pipeline, config, deps);
deps.store = haltAtCommit(assembled.store);
if (asked.leaseMs !== undefined) deps.leaseMs = asked.leaseMs;
using engine = createEngine(deps);
await requirePreflight(deps, runId, needed, new AbortController().signal);
const workspaces = openWorkspaces({ project, home: config.home });
saveOptions(config.home, runId, {});
await engine.start({ runId, pipeline, workspaces, project: project.top, base: project.head, includeDirty: false, actor: "cli:tester" });
tell({ begun: true });
const end = await engine.drive(runId, { workspaces, waitForPeople: true });
await workspaces.close();
tell({ end, commits });
