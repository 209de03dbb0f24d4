import { isUtf8 } from "node:buffer";
import { Refused } from "./refused.ts";
import type { Tree } from "./tree.ts";

const READ_BYTES = 10 * 1024 * 1024;
const WRITE_BYTES = 2 * 1024 * 1024;
/** What one answer may hold; a model's context is small. */
const ANSWER_CHARS = 50_000;
const ANSWER_LINES = 1500;

/** A file's text. Binary files are refused: as text they would be nonsense, and written back they would be broken. */
export function readText(tree: Tree, path: string): string {
  const bytes = tree.read(path, READ_BYTES);
  if (!isUtf8(bytes) || bytes.subarray(0, 8192).includes(0)) throw new Refused(`${path} is not a text file in UTF-8`);
  return bytes.toString("utf8");
}

/** Lines `from` to `to` (counting from 1, inclusive), and a first line that says which of how many these are. */
export function readRange(tree: Tree, path: string, from = 1, to = Number.POSITIVE_INFINITY): string {
  const text = readText(tree, path);
  if (text === "") return `${path} is empty`;
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop();
  if (from > lines.length) throw new Refused(`${path} has ${lines.length} lines; line ${from} is past its end`);
  const wanted = lines.slice(from - 1, Math.min(to, from - 1 + ANSWER_LINES));
  const shown: string[] = [];
  for (let chars = 0; shown.length < wanted.length;) {
    const line = wanted[shown.length] as string;
    if (chars + line.length > ANSWER_CHARS) {
      if (shown.length === 0) shown.push(`${line.slice(0, ANSWER_CHARS)}... (line cut)`);
      break;
    }
    chars += line.length + 1;
    shown.push(line);
  }
  return `[${path}, lines ${from}-${from - 1 + shown.length} of ${lines.length}]\n${shown.join("\n")}`;
}

export function writeText(tree: Tree, path: string, content: string): string {
  const bytes = Buffer.byteLength(content);
  if (bytes > WRITE_BYTES) throw new Refused(`the content has ${bytes} bytes; at most ${WRITE_BYTES} are written`);
  const { isNew, name } = tree.write(path, content);
  return `${isNew ? "created" : "replaced"} ${name} (${bytes} bytes)`;
}

/** Replaces the one place where `oldText` stands, exactly. */
export function editText(tree: Tree, path: string, oldText: string, newText: string): string {
  if (oldText === "") throw new Refused("old_text is empty; use write_file to make a file");
  if (oldText === newText) throw new Refused("old_text and new_text are the same");
  const text = readText(tree, path);
  // A model writes \n; a file with \r\n keeps its own.
  const isWindows = text.includes("\r\n") && !oldText.includes("\r\n");
  const asInFile = (part: string) => (isWindows ? part.replaceAll("\n", "\r\n") : part);
  const old = asInFile(oldText);
  const first = text.indexOf(old);
  if (first < 0) throw new Refused(`old_text is not in ${path}; read it again and copy the text exactly, with its spaces`);
  if (text.indexOf(old, first + 1) >= 0)
    throw new Refused(`old_text stands more than once in ${path}; add lines around it until it is unique`);
  const edited = text.slice(0, first) + asInFile(newText) + text.slice(first + old.length);
  if (Buffer.byteLength(edited) > READ_BYTES) throw new Refused(`${path} would have more than ${READ_BYTES} bytes`);
  tree.write(path, edited);
  return `edited ${path} at line ${text.slice(0, first).split("\n").length}`;
}
