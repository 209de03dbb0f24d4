import type { GateRun } from "../quality/index.ts";
import type { Workspaces } from "../workspace/index.ts";
import { CleanCheckout } from "./clean-checkout.ts";
import type { Preparation } from "./ground.ts";
import { sharedAnswer } from "./shared-answers.ts";

/** Gates look into no file that is larger. */
const LARGEST_FILE_BYTES = 4 * 1024 * 1024;

/** What gates are handed to judge one commit; its clean checkouts are removed at the end. */
export class GateGround implements AsyncDisposable {
  readonly run: GateRun;
  readonly #checkouts: readonly CleanCheckout[];

  /** `judge`: asks models about an attempt. */
  constructor(
    p: Preparation,
    workspaces: Workspaces,
    { phase, tree, from, judge }: Pick<GateRun, "phase" | "tree" | "from"> & { judge?: NonNullable<GateRun["judge"]> },
  ) {
    const isMerge = phase === "merge";
    const judged = new CleanCheckout(p, workspaces, tree, isMerge ? "merge" : "gates");
    const before = new CleanCheckout(p, workspaces, from, isMerge ? "merge-before" : "before");
    this.#checkouts = [judged, before];
    let changes: ReturnType<GateRun["changes"]> | undefined;
    this.run = {
      phase,
      tree,
      from,
      changes: () => (changes ??= tree === from ? Promise.resolve([]) : workspaces.diffStat(from, tree).then(({ files }) => files)),
      list: (globs) => workspaces.list(tree, globs),
      missing: (globs) => workspaces.missing(tree, globs),
      read: (commit, path) => workspaces.readFile(commit, path),
      file: (commit, path) => workspaces.readRegular(commit, path, LARGEST_FILE_BYTES),
      judged,
      before,
      // Programs that use the library have one of these for all runs of a project.
      once: (key, compute, isLasting) => sharedAnswer(workspaces, `${p.runId} ${key}`, compute, isLasting),
      // What a judge said of the work holds for it wherever it is merged.
      ...(isMerge ? { judge: async () => ({ verdict: "silent" as const }) } : judge ? { judge } : {}),
      now: () => p.deps.clock.now(),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const checkout of this.#checkouts) await checkout[Symbol.asyncDispose]();
  }
}
