import { Refused } from "./tools/refused.ts";
import { readRange, readText, writeText } from "./tools/files.ts";
import type { Tree } from "./tools/tree.ts";

/**
 * Reads a reply as edits of files, and says what these make of them; handed in, because it is another room's. `problems` are for
 * the model: what was refused, did not fit or could not be read.
 */
export type ReadReply = (reply: string, tree: ReplyTree) => Promise<ReplyEdits>;

/** What a reader of replies sees of the work tree. */
export interface ReplyTree {
  has(path: string): boolean;
  /** The file's present text, undefined when there is none. */
  read(path: string): string | undefined;
}

export interface ReplyEdits {
  /** New text by path; undefined: the file goes. */
  files: ReadonlyMap<string, string | undefined>;
  problems: readonly string[];
}

/** What became of a reply in the tree. */
export interface Outcome {
  /** In words, for people: `write src/a.ts`. */
  done: string[];
  problems: string[];
}

/** Carries out what a reply asks for, confined to the tree exactly as the tools are. */
export async function carryOut(tree: Tree, reply: string, readReply: ReadReply): Promise<Outcome> {
  const unread = new Map<string, string>();
  const { files, problems } = await readReply(reply, {
    has: (path) => isFile(tree, path),
    read: (path) => {
      try {
        return isAbsent(tree, path) ? undefined : readText(tree, path);
      } catch (error) {
        unread.set(path, wordsOf(error));
        return undefined;
      }
    },
  });
  const outcome: Outcome = { done: [], problems: [...[...unread.values()].map((why) => `Refused: ${why}`), ...problems] };
  for (const [path, text] of files) {
    // It is there and cannot be read: not to be taken for a new one.
    if (unread.has(path)) continue;
    try {
      if (text === undefined) tree.remove(path);
      else writeText(tree, path, text);
      outcome.done.push(text === undefined ? `delete ${path}` : `write ${path}`);
    } catch (error) {
      outcome.problems.push(`Refused: ${wordsOf(error)}`);
    }
  }
  return outcome;
}

function isFile(tree: Tree, path: string): boolean {
  try {
    return tree.kind(path) === "file";
  } catch {
    return false;
  }
}

/** Also when a folder on the way to it is. */
function isAbsent(tree: Tree, path: string): boolean {
  try {
    return tree.kind(path) === "absent";
  } catch (error) {
    if (error instanceof Refused && error.message.includes("does not exist")) return true;
    throw error;
  }
}

/** Files one message may ask for. */
const MOST_READS = 20;

/** The paths in blocks with the info string `read`. */
export function readsOf(reply: string): string[] {
  const paths: string[] = [];
  let isWithin: "read" | "other" | undefined;
  for (const line of reply.split("\n")) {
    const fence = /^ {0,3}```+(.*)$/.exec(line)?.[1]?.trim();
    if (fence !== undefined)
      isWithin = isWithin === undefined ? (fence === "read" ? "read" : "other") : fence === "" ? undefined : isWithin;
    else if (isWithin === "read" && line.trim() !== "") paths.push(line.trim());
  }
  return [...new Set(paths)];
}

/** What the model asked to see, or why it cannot. */
export function answerReads(tree: Tree, paths: readonly string[]): string[] {
  const answers = paths.slice(0, MOST_READS).map((path) => {
    try {
      return readRange(tree, path);
    } catch (error) {
      return `Refused: ${wordsOf(error)}`;
    }
  });
  if (paths.length > MOST_READS) answers.push(`${paths.length - MOST_READS} more were not read: ask for at most ${MOST_READS} at a time.`);
  return answers;
}

const wordsOf = (error: unknown): string => {
  const message = error instanceof Error ? error.message : String(error);
  return error instanceof Refused ? message : message.replaceAll(/\/proc\/self\/fd\/\d+\//g, "");
};
