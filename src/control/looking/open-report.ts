import type { RunState } from "../../domain/index.ts";
import { homeOf } from "../../setup/settings.ts";
import type { Surroundings } from "../../setup/surroundings.ts";
import type { Store } from "../../store/index.ts";
import { openProject, openWorkspaces } from "../../workspace/index.ts";
import { reportRun, type RunReport } from "./report.ts";

/** The report of a run that nobody drives here, with the diff when its project is there. */
export async function reportHere(cli: Surroundings, store: Store, state: RunState, status: RunReport["status"]): Promise<RunReport> {
  const home = homeOf(cli);
  // The journal tells all but the diff, also when the project is gone.
  const project = await openProject(state.project, { env: cli.env }).catch(() => undefined);
  if (!project) return reportRun(state, { store, home, status, now: cli.clock.now() });
  const workspaces = openWorkspaces({ project, home });
  try {
    const report = await reportRun(state, { store, home, status, workspaces, now: cli.clock.now() });
    return project.branch === undefined ? report : { ...report, checkedOut: project.branch };
  } finally {
    await workspaces.close();
  }
}
