import { distance } from "fastest-levenshtein";

/** The candidate a person most likely meant, or `undefined` when none is near. Distance counted without case, `_` and `-`. */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  if (word.length > 64) return undefined;
  const plain = fold(word);
  let best: { candidate: string; distance: number } | undefined;
  for (const candidate of candidates) {
    const folded = fold(candidate);
    if (Math.abs(folded.length - plain.length) > 3) continue;
    const d = distance(plain, folded);
    if (!best || d < best.distance) best = { candidate, distance: d };
    if (d === 0) break;
  }
  if (!best) return undefined;
  const folded = fold(best.candidate);
  // Two letters that changed places count as two edits, and are the commonest slip.
  const isSwap = best.distance === 2 && sorted(folded) === sorted(plain);
  const allowed = isSwap ? 2 : Math.max(1, Math.floor(Math.min(plain.length, folded.length) / 3));
  return best.distance <= allowed ? best.candidate : undefined;
}

const fold = (text: string): string => text.toLowerCase().replace(/[-_ ]/g, "");

const sorted = (text: string): string => Array.from(text).toSorted().join("");
