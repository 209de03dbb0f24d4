/** Where a text cannot be parsed. */
export interface Fault {
  /** From 1. */
  line: number;
  message: string;
  /** The line, trimmed and cut. */
  excerpt: string;
}

/** More are not worth listing: what follows the first is often its echo. */
export const MOST_FAULTS = 50;

const LONGEST_EXCERPT = 120;

/** A fault at a line, or at the last line before it that holds anything: a text that ends too early is wrong where it ends. */
export function faultOnLine(lines: readonly string[], line: number, message: string): Fault {
  let at = Math.min(line, lines.length);
  while (at > 1 && (lines[at - 1] ?? "").trim() === "") at -= 1;
  return { line: at, message, excerpt: (lines[at - 1] ?? "").trim().slice(0, LONGEST_EXCERPT) };
}

/** Line, from 1, of an offset. */
function lineAt(text: string, offset: number): number {
  let line = 1;
  for (let at = text.indexOf("\n"); at !== -1 && at < offset; at = text.indexOf("\n", at + 1)) line += 1;
  return line;
}

export const faultAt = (text: string, offset: number, message: string): Fault =>
  faultOnLine(text.split("\n"), lineAt(text, offset), message);

/** What is seen of an unexpected place: its first line, short. */
export const shownText = (text: string): string => {
  const line = text.trim().split("\n", 1)[0] ?? "";
  return line.length > 40 ? `${line.slice(0, 40)}...` : line;
};
