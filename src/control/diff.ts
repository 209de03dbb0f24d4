import type { AttemptState, RunState } from "../domain/index.ts";
import { homeOf } from "../setup/settings.ts";
import type { Surroundings } from "../setup/surroundings.ts";
import { openProject, openWorkspaces, WorkspaceError, type Workspaces } from "../workspace/index.ts";
import type { DiffPage } from "./contract.ts";
import { ControlError } from "./errors.ts";
import { findStep } from "./find-step.ts";

const MOST_BYTES = 1 << 20;

export interface DiffWanted {
  attempt?: string;
  step?: string;
  maxBytes?: number;
}

/** What an attempt, a step's last result or the whole run changed. Rejects with DIFF_GONE when git does not have it any more. */
export async function readDiff(cli: Surroundings, state: RunState, wanted: DiffWanted): Promise<DiffPage> {
  const project = await openProject(state.project, { env: cli.env });
  const workspaces = openWorkspaces({ project, home: homeOf(cli) });
  try {
    const range = await rangeOf(state, wanted, workspaces);
    if (!range) return { text: "", files: [], isTruncated: false };
    const [from, to] = range;
    const { files } = await workspaces.diffStat(from, to);
    const text = await workspaces.diff(from, to, { maxBytes: wanted.maxBytes ?? MOST_BYTES });
    return { text, files, isTruncated: /\[cut after \d+ bytes\]\n$/.test(text) };
  } catch (error) {
    if (error instanceof WorkspaceError)
      throw new ControlError(
        "DIFF_GONE",
        `git does not have this change of run ${state.runId} any more`,
        "It was cleaned, or its branch is gone. The journal tells what was judged: `stepfall show`.",
        { cause: error },
      );
    throw error;
  } finally {
    await workspaces.close();
  }
}

/** `undefined`: it changed nothing. */
async function rangeOf(state: RunState, wanted: DiffWanted, workspaces: Workspaces): Promise<[string, string] | undefined> {
  const { attempt, step } = wanted;
  if (attempt !== undefined) {
    const found = [...state.steps.values()].flatMap((s) => s.attempts).find((a) => a.id === attempt);
    if (!found)
      throw new ControlError("ATTEMPT_UNKNOWN", `run ${state.runId} has no attempt ${attempt}`, "`stepfall show` lists its attempts.");
    return changeOf(found);
  }
  if (step !== undefined) {
    const attempts = findStep(state, step).attempts.filter((a) => a.commit !== undefined);
    const last = attempts.findLast((a) => a.phase === "merged" || a.phase === "accepted" || a.phase === "merging") ?? attempts.at(-1);
    return last && changeOf(last);
  }
  const tip = await workspaces.tip({ runId: state.runId, name: state.branch });
  return tip === state.base ? undefined : [state.base, tip];
}

const changeOf = ({ from, commit }: AttemptState): [string, string] | undefined =>
  from === undefined || commit === undefined ? undefined : [from, commit];
