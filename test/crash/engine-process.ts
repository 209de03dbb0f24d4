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
import { loadPipeline } from "../../src/pipeline/index.ts";
import type { Store } from "../../src/store/index.ts";
import { openProject, openWorkspaces } from "../../src/workspace/index.ts";

/**
 * The victim: starts and drives a run as `stepfall run` does, and kills itself (SIGKILL) before or after the k-th commit to the store.
 * `engine-process.ts PIPELINE RUN_ID [before|after K]`. When it lives to the end it prints `{"end","commits"}`.
 */
const [file = "", runId = "", side, at] = process.argv.slice(2);
const killAt = Number(at ?? 0);

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
function dieAtCommit(store: Store): Store {
  return {
    ...store,
    async commit(commit) {
      commits += 1;
      const isIt = commits === killAt;
      if (isIt && side === "before") process.kill(process.pid, "SIGKILL");
      const committed = await store.commit(commit);
      if (isIt && side === "after") process.kill(process.pid, "SIGKILL");
      return committed;
    },
  };
}

const loaded = loadPipeline(resolve(cli.cwd, file));
if (!loaded.ok) throw new TypeError(JSON.stringify(loaded.problems));
const { pipeline } = loaded;
const project = await openProject(cli.cwd, { env: cli.env });
const config = await loadSettings(cli, { project, at: project.head });
const scripted = new ScriptedModels(homeOf(cli), runId);
const registry = buildRegistry(config, scripted.urls);
const needed = checkRequirements(pipeline, config, registry);
await using assembled = await assemble(cli, { config, projectId: project.id, registry, scripted, keepWorkspaces: false });
const { deps, engine } = assembled;
deps.store = dieAtCommit(assembled.store);
await requirePreflight(deps, runId, needed, new AbortController().signal);
const workspaces = openWorkspaces({ project, home: config.home });
saveOptions(config.home, runId, {});
await engine.start({ runId, pipeline, workspaces, project: project.top, base: project.head, includeDirty: false, actor: "cli:tester" });
const end = await engine.drive(runId, { workspaces });
await workspaces.close();
process.stdout.write(`${JSON.stringify({ end, commits })}\n`);
