/** How much text one answer holds, in characters: about 6,000 tokens, below what clients cut off by themselves. */
export const ANSWER_CHARS = 24_000;
/** The same for one text of several in an answer. */
export const FIELD_CHARS = 2000;

/** The text, or its beginning with a note on how much is missing and, where it can be had, how. */
export function cut(text: string, most: number, how = ""): string {
  if (text.length <= most) return text;
  const kept = endBefore(text, most);
  return `${text.slice(0, kept)}\n[${text.length - kept} more characters left out${how === "" ? "" : `: ${how}`}]`;
}

/** The same in one line, for lists. */
export function gist(text: string, most = 200): string {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length <= most ? line : `${line.slice(0, endBefore(line, most - 1))}…`;
}

/** As many of the first as have so many characters as JSON; one at least. */
export function fitting<T>(things: readonly T[], most: number): T[] {
  let size = 0;
  const over = things.findIndex((thing) => (size += JSON.stringify(thing).length + 1) > most);
  return things.slice(0, over < 0 ? things.length : Math.max(1, over));
}

/** A place to cut at: never between the halves of one character. */
function endBefore(text: string, at: number): number {
  const code = text.charCodeAt(at - 1);
  return code >= 0xd800 && code <= 0xdbff ? at - 1 : at;
}

export interface Slice {
  text: string;
  /** Where the next call goes on. Absent: there is no more. */
  next?: number;
}

/** A part of a long text that ends at the end of a line where it can. */
export function slice(text: string, from: number, most: number): Slice {
  if (from + most >= text.length) return { text: text.slice(from) };
  const line = text.lastIndexOf("\n", from + most - 1);
  const end = line > from ? line + 1 : endBefore(text, from + most);
  return { text: text.slice(from, end), next: end };
}
