import { z } from "zod";
import type { Control, RunReport } from "../../../control/index.ts";
import { slice } from "../bounded.ts";
import { defineTool, looks } from "../tool.ts";
import { charsArgument, runArgument } from "./run-words.ts";

/** Of one diff. What is beyond is read with git. */
const MOST_DIFF_BYTES = 8_000_000;

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
  const of = { ...(step === undefined ? {} : { step }), ...(attempt === undefined ? {} : { attempt }), maxBytes: MOST_DIFF_BYTES };
  const page = await control.diff(run.runId, of);
  const whole = file === undefined ? page.text : onlyFile(page.text, file);
  const { text, next } = slice(whole, offset, max_chars);
  const list = page.files.slice(0, 100).map((f) => `${f.path} ${f.binary ? "(binary)" : `+${f.added} -${f.removed}`}`);
  if (page.files.length > list.length) list.push(`and ${page.files.length - list.length} more`);
  const head = page.files.length === 0 ? "No file was changed." : `${page.files.length} changed: ${list.join(", ")}`;
  const notes = [
    ...(next === undefined ? [] : [`[${whole.length - next} more characters: get_diff with offset ${next}]`]),
    ...(page.isTruncated ? [`[the diff is longer than can be had here: git diff ${run.base}...${run.branch}]`] : []),
    ...(whole === "" && page.files.length > 0 ? [`[nothing of ${file ?? "it"} is in the diff]`] : []),
  ];
  return [...(offset === 0 ? [head] : []), text, ...notes].filter((part) => part !== "").join("\n");
}

/** The part of a unified diff that is about one file, by its old or its new name. */
export function onlyFile(diff: string, file: string): string {
  const parts = diff.split(/^(?=diff --git )/m);
  const names = (part: string): boolean => {
    const head = part.slice(0, part.indexOf("\n@@") >= 0 ? part.indexOf("\n@@") : undefined).split("\n");
    return head.some((line) => line === `+++ b/${file}` || line === `--- a/${file}`) || head[0] === `diff --git a/${file} b/${file}`;
  };
  return parts.filter(names).join("");
}
