import { z } from "zod";
import type { Control, DiffPage, RunReport } from "../../../control/index.ts";
import { fitting, gist, slice } from "../bounded.ts";
import { defineTool, looks } from "../tool.ts";
import { charsArgument, runArgument } from "./run-words.ts";

/** Of one diff. What is beyond is read with git, or file by file. */
const MOST_DIFF_BYTES = 8_000_000;
/** A character has three bytes at most, and a secret may be longer than what stands in for it. */
const bytesFor = (characters: number): number => Math.min(MOST_DIFF_BYTES, 3 * characters + 64 * 1024);

export const getDiff = defineTool({
  name: "get_diff",
  title: "What was changed",
  description:
    "The unified diff of what a run changed on its branch, or of one step or attempt. Long ones come in parts: go on with `offset`, or ask for one file.",
  input: z.strictObject({
    run: runArgument,
    step: z.string().max(500).optional(),
    attempt: z.string().max(500).optional().describe("Id of an attempt: also of work that was refused"),
    file: z.string().max(4096).optional().describe("Only this file"),
    offset: z.int().min(0).default(0).describe("Where to go on, as the last answer told"),
    max_chars: charsArgument,
  }),
  hints: looks,
  act: async ({ run, ...wanted }, { control }) => ({ text: await diffText(control, await control.run(run), wanted) }),
});

interface WantedDiff {
  step?: string | undefined;
  attempt?: string | undefined;
  file?: string | undefined;
  offset: number;
  max_chars: number;
}

/** A part of a diff, with the list of files before it and a note on how to get the rest behind. */
export async function diffText(
  control: Pick<Control, "diff">,
  run: RunReport,
  { step, attempt, file, offset, max_chars }: WantedDiff,
): Promise<string> {
  const of = {
    ...(step === undefined ? {} : { step }),
    ...(attempt === undefined ? {} : { attempt }),
    ...(file === undefined ? {} : { file }),
  };
  const maxBytes = bytesFor(offset + max_chars);
  const page = await control.diff(run.runId, { ...of, maxBytes });
  const whole = page.text;
  const { text, next } = slice(whole, offset, max_chars);
  const isAll = step === undefined && attempt === undefined;
  const byGit = isAll ? `git diff ${run.base}...${run.branch}; or ` : "";
  const notes = [
    ...(next === undefined ? [] : [`[more: get_diff with offset ${next}]`]),
    ...(page.isTruncated && maxBytes === MOST_DIFF_BYTES ? [`[longer than can be had here: ${byGit}ask for single files]`] : []),
    ...(whole === "" && page.files.length > 0 ? [`[nothing of ${file ?? "it"} is in the diff]`] : []),
    ...(offset > 0 && offset >= whole.length ? [`[the diff ends at offset ${whole.length}]`] : []),
  ];
  return [...(offset === 0 ? [headOf(page, run, isAll)] : []), text, ...notes].filter((part) => part !== "").join("\n");
}

const HEAD_CHARS = 4000;

/** What was changed, file by file. */
function headOf({ files }: DiffPage, { status }: RunReport, isAll: boolean): string {
  const isDone = status === "succeeded" || status === "failed" || status === "cancelled";
  if (files.length === 0)
    return `No file was changed${isAll && !isDone ? " yet: the run goes on, and what passed is merged step by step" : ""}.`;
  const all = files.map((f) => `${f.path} ${f.binary ? "(binary)" : `+${f.added} -${f.removed}`}`);
  const list = fitting(all, HEAD_CHARS);
  const more = files.length - list.length;
  return `${files.length} changed: ${list.map((one) => gist(one, HEAD_CHARS)).join(", ")}${more > 0 ? `, and ${more} more` : ""}`;
}
