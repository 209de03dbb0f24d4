/**
 * Whether two globs may name one file. Never wrong in the direction that matters: it answers `true` when in doubt (two steps
 * then run one after the other, which is only slower).
 *
 * Compared segment by segment: `**` may stand for anything, a segment with any wildcard may equal any other unless their literal
 * heads or tails differ.
 */
export function globsOverlap(a: string, b: string): boolean {
  return segmentsOverlap(normalise(a), normalise(b));
}

/** Whether any glob of one step may name a file of the other's. */
export const touchesOverlap = (a: readonly string[], b: readonly string[]): boolean => a.some((x) => b.some((y) => globsOverlap(x, y)));

function normalise(glob: string): string[] {
  // A slash inside braces or parentheses: what follows may be anything.
  const nested = /[({][^)}]*\//.exec(glob);
  const whole = nested ? `${glob.slice(0, nested.index).replace(/[^/]*$/, "")}**` : glob;
  const parts = whole
    .replace(/^\.\//, "")
    .split("/")
    .filter((p) => p !== "" && p !== ".");
  // A folder names everything in it.
  if (glob.endsWith("/")) parts.push("**");
  return parts;
}

function segmentsOverlap(a: readonly string[], b: readonly string[]): boolean {
  const [x, ...restA] = a;
  const [y, ...restB] = b;
  if (x === undefined && y === undefined) return true;
  if (x === "**") return segmentsOverlap(restA, b) || (y !== undefined && segmentsOverlap(a, restB));
  if (y === "**") return segmentsOverlap(a, restB) || (x !== undefined && segmentsOverlap(restA, b));
  // `src` may be a folder that `src/a.ts` lies in.
  if (x === undefined || y === undefined) return true;
  return mayBeEqual(x, y) && segmentsOverlap(restA, restB);
}

const wild = /[*?[\]{}()!+@]/;

function mayBeEqual(x: string, y: string): boolean {
  const wildX = x.search(wild);
  const wildY = y.search(wild);
  if (wildX < 0 && wildY < 0) return x === y;
  const headX = wildX < 0 ? x : x.slice(0, wildX);
  const headY = wildY < 0 ? y : y.slice(0, wildY);
  const head = Math.min(headX.length, headY.length);
  return headX.slice(0, head) === headY.slice(0, head);
}
