import { runStream, type RunState } from "../../domain/index.ts";
import { readPrompt, retellPrompt } from "../../engine/index.ts";
import type { Store } from "../../store/index.ts";
import type { PromptPage } from "../contract.ts";
import { ControlError } from "../errors.ts";
import { findAttempt } from "./find-attempt.ts";

const MOST_BYTES = 1 << 20;

/** See Control.prompt. */
export async function readPromptOf(
  { store, home, mask }: { store: Pick<Store, "read">; home: string; mask: (text: string) => string },
  state: RunState,
  id: string,
): Promise<PromptPage> {
  const { attempt, of } = findAttempt(state, id);
  const { path, kind } = of.step;
  if (kind !== "agent")
    throw new ControlError("NO_PROMPT", `${path} is of kind ${kind}: no agent is told anything`, "Its command stands in the pipeline.");
  const kept = await readPrompt(home, id, MOST_BYTES);
  if (kept) return { text: kept.text, isTruncated: kept.isCut, source: "transcript" };
  if (attempt.startedAt === undefined)
    throw new ControlError("NO_PROMPT", `attempt ${attempt.n} of ${path} has not begun`, "Its agent is told when it does.");
  const told = retellPrompt(await store.read(runStream(state.runId)), id, { mask, mostBytes: MOST_BYTES });
  if (!told) throw new ControlError("NO_PROMPT", `what the agent of ${id} was told is not known`, "Look into its log.");
  return { text: told.text, isTruncated: told.isCut, source: "journal" };
}
