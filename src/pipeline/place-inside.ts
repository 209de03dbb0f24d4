import type { Path, Place, YamlSource } from "../config/index.ts";

const lineStarts = new WeakMap<YamlSource, number[]>();

/** Place of a character of a text in the file: of `at` in `text`, which stands at `path`. The text's beginning where escapes or folding hide it. */
export function placeInside(source: YamlSource, path: Path, text: string, at: number): Place {
  const start = source.place(path);
  const lines = linesOf(source);
  const from = (lines[start.line - 1] ?? 0) + start.col - 1;
  // A line of the text stands in the file as it is, whichever way the text is written; only its indentation is not its own.
  const lineStart = text.lastIndexOf("\n", at - 1) + 1;
  const lineEnd = text.indexOf("\n", at);
  const line = text.slice(lineStart, lineEnd < 0 ? undefined : lineEnd).trim();
  const found = line === "" ? -1 : source.text.indexOf(line, from);
  const lead = text.slice(lineStart).length - text.slice(lineStart).trimStart().length;
  if (found < 0 || found > from + 2 * text.length + 1000) return start;
  return placeAt(lines, found + Math.max(0, at - lineStart - lead));
}

function linesOf(source: YamlSource): number[] {
  let starts = lineStarts.get(source);
  if (!starts) {
    starts = [0];
    for (let i = source.text.indexOf("\n"); i >= 0; i = source.text.indexOf("\n", i + 1)) starts.push(i + 1);
    lineStarts.set(source, starts);
  }
  return starts;
}

function placeAt(starts: readonly number[], offset: number): Place {
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((starts[middle] ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  return { line: low + 1, col: offset - (starts[low] ?? 0) + 1 };
}
