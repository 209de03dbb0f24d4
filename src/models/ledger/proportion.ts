/** A share of what was counted, with its 95 % interval. */
export interface Proportion {
  hits: number;
  of: number;
  share: number;
  low: number;
  high: number;
}

const Z95 = 1.96;

/** The score interval (Wilson 1927): it holds for few counts and near 0 and 1, where the usual one does not. Nothing counted: anything. */
export function proportion(hits: number, of: number): Proportion {
  if (of === 0) return { hits, of, share: 0, low: 0, high: 1 };
  const share = hits / of;
  const square = Z95 * Z95;
  const middle = (share + square / (2 * of)) / (1 + square / of);
  const half = (Z95 / (1 + square / of)) * Math.sqrt((share * (1 - share)) / of + square / (4 * of * of));
  return { hits, of, share, low: hits === 0 ? 0 : middle - half, high: hits === of ? 1 : middle + half };
}
