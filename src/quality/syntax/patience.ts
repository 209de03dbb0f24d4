/** A bound on parsing one text, as with any work on what an agent left: some garbage takes a grammar hours. */
const LONGEST_MS = 3000;

/** Says when it is over; what is parsed then counts as unchecked. */
export function patience(): () => boolean {
  const end = performance.now() + LONGEST_MS;
  return () => performance.now() > end;
}

/** Thrown by parsers that gave up. */
export const gaveUp = (): RangeError => new RangeError("a text that takes its parser too long");
