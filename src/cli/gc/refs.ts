import { deleteOurRefs, listOurRefs, openProject, type OurRef } from "../../workspace/index.ts";
import type { Cli } from "../cli.ts";
import { plural } from "../show/format.ts";
import { unknownRun, type Living } from "./living.ts";
import type { Found } from "./orphan.ts";

/** Younger refs of a run that the store does not know are those of one that is about to begin (`--include-dirty`), or of another home. */
const SETTLED_MS = 3_600_000;

/**
 * Snapshots under `refs/stepfall/` in every project that a run of this home was in, and in the one the person stands in. A run that this store does
 * not know may be one of another home, so its refs count only when they are old.
 */
export async function orphanedRefs(cli: Cli, home: string, living: Living, olderThanMs: number): Promise<Found> {
  const found: Found = { orphans: [], kept: [] };
  const folders = new Set((await living.store.runs()).map((row) => row.project));
  const seen = new Set<string>();
  for (const folder of [cli.cwd, ...folders]) {
    const project = await openProject(folder, { env: cli.env }).catch(() => undefined);
    if (!project || seen.has(project.commonDir)) continue;
    seen.add(project.commonDir);
    for (const [runId, refs] of Map.groupBy(await listOurRefs(project, home), (r) => r.runId)) {
      const judge = (): Promise<Judged> => judgeRefs(runId, refs, living, { now: cli.clock.now(), olderThanMs });
      const { isOrphan, why } = await judge();
      const what = `${plural(refs.length, "ref")} of run ${runId} in ${project.top}`;
      if (!isOrphan) found.kept.push({ what, why });
      else {
        const isStill = async (): Promise<boolean> => (await judge()).isOrphan;
        found.orphans.push({ kind: "refs", what, why, isStill, remove: () => deleteOurRefs(project, home, refs) });
      }
    }
  }
  return found;
}

interface Judged {
  isOrphan: boolean;
  why: string;
}

async function judgeRefs(
  runId: string,
  refs: readonly OurRef[],
  living: Living,
  { now, olderThanMs }: { now: number; olderThanMs: number },
): Promise<Judged> {
  const run = await living.run(runId);
  switch (run.kind) {
    case "driven":
      return { isOrphan: false, why: "its run is going on" };
    case "stopped":
      return { isOrphan: false, why: "its run is not over" };
    case "over": {
      const isOrphan = now - run.endedAt >= olderThanMs;
      return { isOrphan, why: isOrphan ? run.words : `${run.words}, which is not long` };
    }
    case "unknown": {
      const newest = Math.max(...refs.map((r) => r.at));
      const isOrphan = now - newest >= Math.max(olderThanMs, SETTLED_MS);
      const made = `its last commit was made ${living.ago(newest)}`;
      return { isOrphan, why: isOrphan ? `${unknownRun}; ${made}` : `${unknownRun}, but another home may: ${made}` };
    }
    default:
      return run satisfies never;
  }
}
