import { z } from "zod";
import { readable, type Control, type LogLine } from "../../../control/index.ts";
import { cut, FIELD_CHARS } from "../bounded.ts";
import { defineTool, looks } from "../tool.ts";
import { charsArgument, runArgument } from "./run-words.ts";

export const getLogs = defineTool({
  name: "get_logs",
  title: "What was printed",
  description:
    "What agents, setup commands and gates of a run printed, in order of time. Without `after` the last lines; with the `after` that an answer told, what came then; with an empty one from the beginning.",
  input: z.strictObject({
    run: runArgument,
    step: z.string().max(500).optional(),
    attempt: z.string().max(500).optional(),
    role: z.string().max(100).optional().describe("agent, setup, gates-1, ..."),
    after: z.string().max(2000).optional(),
    max_chars: charsArgument,
  }),
  hints: looks,
  act: async ({ run, max_chars, ...of }, { control, ctx, say }) => {
    const { runId } = await control.run(run);
    return {
      text: await logText(control, runId, of, max_chars, (lines) => {
        ctx.mcpReq.signal.throwIfAborted();
        say(`${lines} lines read`);
      }),
    };
  },
});

type LogSource = Pick<Control, "logs">;
type Part = Partial<Record<"step" | "attempt" | "role" | "after", string | undefined>>;
/** Lines read at a time, and how many of those at most before the end is given up: the last lines are wanted. */
const PAGE = 2000;
const MOST_PAGES = 1000;

/** The last lines, or with `after` the first that follow, as text of at most so many characters. */
export async function logText(
  control: LogSource,
  runId: string,
  part: Part,
  most: number,
  onRead: (lines: number) => void = () => undefined,
): Promise<string> {
  const of = Object.fromEntries(Object.entries(part).filter((entry): entry is [string, string] => entry[1] !== undefined));
  if (of["after"] !== undefined) return await onwards(control, runId, of, most);
  let kept: string[] = [];
  let size = 0;
  let left = 0;
  let after: string | undefined;
  for (let pages = 0; pages < MOST_PAGES; pages += 1) {
    const page = await control.logs(runId, { ...of, ...(after === undefined ? {} : { after }), limit: PAGE });
    onRead(left + kept.length);
    for (const text of page.lines.flatMap(lineText)) {
      kept.push(text);
      size += text.length + 1;
    }
    // Removed in one go: a page has thousands.
    const drop = howManyOver(kept, size - most);
    for (const text of kept.slice(0, drop)) size -= text.length + 1;
    kept = kept.slice(drop);
    left += drop;
    after = page.next;
    if (page.lines.length === 0) {
      kept = kept.length === 0 ? ["Nothing was printed."] : kept;
      return [...head(left), ...kept, ...(page.isOver ? [] : [`[the run goes on: what comes next is ${placeAfter(after)}]`])].join("\n");
    }
  }
  return [...head(left), ...kept, `[there is more: go on ${placeAfter(after)}]`].join("\n");
}

/** A cursor holds a place in each file: of a large run it is longer than a model should have to repeat. */
const MOST_CURSOR = 1500;
const placeAfter = (cursor = ""): string =>
  cursor.length <= MOST_CURSOR
    ? `after ${JSON.stringify(cursor)}`
    : "to be had of one step, attempt or role at a time: there are too many files";

const head = (left: number): string[] => (left > 0 ? [`[${left} earlier lines left out: ask for one step, attempt or role]`] : []);

/** How many of the first must go, so that so many characters go; the last stays. */
function howManyOver(texts: readonly string[], characters: number): number {
  let drop = 0;
  for (let over = characters; over > 0 && drop < texts.length - 1; drop += 1) over -= (texts[drop]?.length ?? 0) + 1;
  return drop;
}

async function onwards(control: LogSource, runId: string, of: Record<string, string>, most: number): Promise<string> {
  let page = await control.logs(runId, { ...of, limit: PAGE });
  const fit = howMany(page.lines, most);
  // What does not fit must come after the cursor that is told.
  if (fit < page.lines.length) page = await control.logs(runId, { ...of, limit: fit });
  const end = page.isOver && page.lines.length === 0 ? "[the run is over: nothing more will come]" : `[go on ${placeAfter(page.next)}]`;
  return [...page.lines.flatMap(lineText), end].join("\n");
}

/** Lines whose texts fit; one at least. */
function howMany(lines: readonly LogLine[], most: number): number {
  let size = 0;
  const over = lines.findIndex((line) => (size += lineText(line).reduce((sum, text) => sum + text.length + 1, 0)) > most);
  return over < 0 ? lines.length : Math.max(1, over);
}

const lineText = (line: LogLine): string[] =>
  readable(line).map((text) => `${line.step}#${line.n} ${line.role}: ${cut(text, FIELD_CHARS - 200)}`);
