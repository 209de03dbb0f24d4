import { distance } from "fastest-levenshtein";

export type Match =
  /** `first`: index of the line it begins at; `lines`: what to put there. */
  { ok: true; first: number; lines: string[] } | { ok: false; why: "none" } | { ok: false; why: "several"; at: number[] };

interface Sought {
  before: readonly string[];
  after: readonly string[];
  /** Index of the line it is expected at, when that is known. */
  near?: number;
  /** Index of the line from which on it is looked for. */
  from?: number;
}

/**
 * Where `before` stands among `lines`, tried in this order, each only when the one before found nothing: to the letter; but for
 * white space at the ends of lines; but for a common indentation, which is then given to `after`, too. A place is taken only when it
 * is the only one, or, for text to the letter, the one a hunk names. A tolerant match among several is never taken.
 */
export function findLines(lines: readonly string[], { before, after, near, from = 0 }: Sought): Match {
  const exact = places(lines, before, from, (line) => line);
  if (exact.length > 0) return one(exact, near, after);
  const trimmed = places(lines, before, from, (line) => line.trimEnd());
  if (trimmed.length > 0) return one(trimmed, undefined, after);
  return indented(lines, before, after, from);
}

function one(found: readonly number[], near: number | undefined, after: readonly string[]): Match {
  const [first] = found;
  if (first === undefined) return { ok: false, why: "none" };
  if (found.length === 1) return { ok: true, first, lines: [...after] };
  if (near !== undefined && found.includes(near)) return { ok: true, first: near, lines: [...after] };
  return { ok: false, why: "several", at: [...found] };
}

/** More are not told apart anyway. */
const ENOUGH = 20;

function places(lines: readonly string[], sought: readonly string[], from: number, as: (line: string) => string): number[] {
  if (sought.length === 0) return [];
  const wanted = sought.map(as);
  // The rarest kind of line first would be quicker; a longest line is nearly that, and quick to find.
  const pivot = wanted.reduce((best, line, i) => (line.length > (wanted[best]?.length ?? 0) ? i : best), 0);
  const found: number[] = [];
  for (let at = from + pivot; at + wanted.length - pivot <= lines.length && found.length < ENOUGH; at++) {
    if (as(lines[at] ?? "") !== wanted[pivot]) continue;
    const first = at - pivot;
    if (wanted.every((line, i) => as(lines[first + i] ?? "") === line)) found.push(first);
  }
  return found;
}

function indented(lines: readonly string[], before: readonly string[], after: readonly string[], from: number): Match {
  // Nothing but white space would fit everywhere.
  if (before.every((line) => line.trim() === "")) return { ok: false, why: "none" };
  const loose = places(lines, before, from, (line) => line.trim());
  const found = loose.flatMap((first) => {
    const shift = shiftBetween(before, lines.slice(first, first + before.length));
    const moved = shift === undefined ? undefined : after.map((line) => moveLine(line, shift));
    return moved === undefined || moved.includes(undefined) ? [] : [{ first, lines: moved as string[] }];
  });
  const [match] = found;
  if (!match) return { ok: false, why: "none" };
  return loose.length === 1 ? { ok: true, ...match } : { ok: false, why: "several", at: loose };
}

/** What all indentations of `theirs` have more or less than those of `ours`. */
type Shift = { add: string } | { remove: string };

function shiftBetween(ours: readonly string[], theirs: readonly string[]): Shift | undefined {
  let shift: Shift | undefined;
  for (const [i, line] of ours.entries()) {
    if (line.trim() === "") continue;
    const [mine, real] = [indentOf(line), indentOf(theirs[i] ?? "")];
    const here: Shift | undefined = real.endsWith(mine)
      ? { add: real.slice(0, real.length - mine.length) }
      : mine.endsWith(real)
        ? { remove: mine.slice(0, mine.length - real.length) }
        : undefined;
    if (!here || (shift && JSON.stringify(shift) !== JSON.stringify(here))) return undefined;
    shift = here;
  }
  return shift;
}

function moveLine(line: string, shift: Shift): string | undefined {
  if (line.trim() === "") return line;
  if ("add" in shift) return shift.add + line;
  return line.startsWith(shift.remove) ? line.slice(shift.remove.length) : undefined;
}

const indentOf = (line: string): string => /^[ \t]*/.exec(line)?.[0] ?? "";

/** Bounds the work of looking for what was meant. */
const MOST_COMPARED = 20_000;
const LONGEST_COMPARED = 200;

/** The lines of the file that are most like the first telling line of what was sought, with as many below it; none when nothing is. */
export function nearestLines(lines: readonly string[], before: readonly string[]): { first: number; lines: string[] } | undefined {
  const offset = before.reduce((best, line, i) => (line.trim().length > (before[best]?.trim().length ?? 0) ? i : best), 0);
  const telling = (before[offset] ?? "").trim().slice(0, LONGEST_COMPARED);
  if (telling === "") return undefined;
  let best: { at: number; unlike: number } | undefined;
  for (const [at, line] of lines.slice(0, MOST_COMPARED).entries()) {
    const text = line.trim().slice(0, LONGEST_COMPARED);
    const longest = Math.max(text.length, telling.length);
    if (Math.abs(text.length - telling.length) > 0.4 * longest) continue;
    const unlike = distance(text, telling) / longest;
    if (unlike <= 0.4 && (!best || unlike < best.unlike)) best = { at, unlike };
  }
  if (!best) return undefined;
  const first = Math.max(0, best.at - offset);
  return { first, lines: lines.slice(first, Math.min(lines.length, first + Math.min(before.length, 12))) };
}
