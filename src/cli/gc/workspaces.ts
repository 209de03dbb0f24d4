import { rmdir } from "node:fs/promises";
import { dirname } from "node:path";
import { readOptions } from "../../setup/run-options.ts";
import { listWorkspaceFolders, measureFolder, removeLeftover, workspaceFolderName, type WorkspaceFolder } from "../../workspace/index.ts";
import { stepIsOver, unknownRun, type Living } from "./living.ts";
import type { Found } from "./orphan.ts";

/**
 * Workspaces of runs that are over or that nobody knows, and of steps that are over. Folders are listed before the store is asked: a run is
 * in the store before its first folder is made.
 */
export async function orphanedWorkspaces(home: string, living: Living): Promise<Found> {
  const found: Found = { orphans: [], kept: [] };
  for (const folder of await listWorkspaceFolders(home)) {
    if (readOptions(home, folder.runId).keep && (await living.run(folder.runId)).kind === "over") {
      found.kept.push({ what: folder.path, why: "its run was started with --keep; `stepfall clean` removes it" });
      continue;
    }
    const why = await whyOrphaned(folder, living);
    if (why === undefined) continue;
    found.orphans.push({
      kind: "workspace",
      what: folder.path,
      why,
      bytes: (await measureFolder(folder.path)).bytes,
      isStill: async () => (await whyOrphaned(folder, living)) !== undefined,
      remove: async () => {
        await removeLeftover(home, "workspaces", folder.path);
        const { kind } = await living.run(folder.runId);
        // Beside a run that goes on an attempt may be making its folder in there at this moment.
        if (folder.name !== "" && (kind === "over" || kind === "unknown")) await rmdir(dirname(folder.path)).catch(() => undefined);
      },
    });
  }
  return found;
}

async function whyOrphaned({ runId, name }: WorkspaceFolder, living: Living): Promise<string | undefined> {
  const run = await living.run(runId);
  switch (run.kind) {
    case "unknown":
      return unknownRun;
    case "over":
      return run.words;
    case "stopped":
    case "driven": {
      const state = await living.state(runId);
      const step = [...state.steps.values()].find((s) => s.attempts.some((a) => workspaceFolderName(a.id) === name));
      return step && stepIsOver(state, step.step.path) ? `its step is over (${step.status})` : undefined;
    }
    default:
      return run satisfies never;
  }
}
