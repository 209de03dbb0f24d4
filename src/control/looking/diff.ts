import type { AttemptState, RunState } from "../../domain/index.ts";
import { homeOf } from "../../setup/settings.ts";
import type { Surroundings } from "../../setup/surroundings.ts";
import { openProject, openWorkspaces, WorkspaceError, type Workspaces } from "../../workspace/index.ts";
import type { DiffPage } from "../contract.ts";
import { ControlError } from "../errors.ts";
import { findStep } from "../find-step.ts";
import type { Mask } from "../masks.ts";
import { findAttempt } from "./find-attempt.ts";

const MOST_BYTES = 1 << 20;
const LONGEST_SECRET = 64 * 1024;

export interface DiffWanted {
  attempt?: string;
  step?: string;
  /** Only its text: the list of files is whole. */
  file?: string;
  maxBytes?: number;
}

/** What an attempt, a step's last result or the whole run changed. Rejects with DIFF_GONE when git does not have it any more. */
export async function readDiff(cli: Surroundings, state: RunState, wanted: DiffWanted, mask: Mask): Promise<DiffPage> {
  const project = await openProject(state.project, { env: cli.env });
  const workspaces = openWorkspaces({ project, home: homeOf(cli) });
  try {
    const range = await rangeOf(state, wanted, workspaces);
    if (!range) return { text: "", files: [], isTruncated: false };
    const [from, to] = range;
    const { files } = await workspaces.diffStat(from, to);
    const { file, maxBytes = MOST_BYTES } = wanted;
    const part = file === undefined ? {} : { paths: [file] };
    const text = mask(await workspaces.diff(from, to, { maxBytes: maxBytes + LONGEST_SECRET, ...part }));
    return { ...cutAtLine(text, maxBytes), files };
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

/** After it is masked: a secret that is cut in two is not known for one any more. */
function cutAtLine(text: string, most: number): { text: string; isTruncated: boolean } {
  const bytes = Buffer.from(text);
  // What is left of a very long one is shorter than that when much of it was hidden.
  if (bytes.length <= most) return { text, isTruncated: /\n\[cut after \d+ bytes\]\n$/.test(text) };
  const end = bytes.subarray(0, most).lastIndexOf(0x0a) + 1;
  return { text: `${bytes.toString("utf8", 0, end)}[cut after ${end} bytes]\n`, isTruncated: true };
}

/** `undefined`: it changed nothing. */
async function rangeOf(state: RunState, wanted: DiffWanted, workspaces: Workspaces): Promise<[string, string] | undefined> {
  const { attempt, step } = wanted;
  if (attempt !== undefined) return changeOf(findAttempt(state, attempt).attempt);
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
