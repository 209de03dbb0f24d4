/** Intervals of time, epoch ms, `from` included and `to` not. */
export interface Span {
  from: number;
  to: number;
}

/** A piece of a stretch of time, and the first layer that covers it; `undefined`: none does. */
export interface Piece<L extends string> extends Span {
  layer: L | undefined;
}

/**
 * Cuts `within` into pieces by which layer is first to cover them. The pieces follow one another without gap or overlap, neighbours differ, and
 * together they are `within`.
 */
export function partition<L extends string>(within: Span, layers: readonly (readonly [L, readonly Span[]])[]): Piece<L>[] {
  if (within.to <= within.from) return [];
  const edges: { at: number; layer: number; by: 1 | -1 }[] = [];
  layers.forEach(([, spans], layer) => {
    for (const span of spans) {
      const from = Math.max(span.from, within.from);
      const to = Math.min(span.to, within.to);
      if (to > from) edges.push({ at: from, layer, by: 1 }, { at: to, layer, by: -1 });
    }
  });
  edges.sort((a, b) => a.at - b.at);
  const open = layers.map(() => 0);
  const pieces: Piece<L>[] = [];
  let from = within.from;
  const close = (to: number): void => {
    if (to <= from) return;
    const first = open.findIndex((n) => n > 0);
    const layer = first < 0 ? undefined : layers[first]?.[0];
    const last = pieces.at(-1);
    if (last && last.layer === layer) last.to = to;
    else pieces.push({ from, to, layer });
    from = to;
  };
  for (const { at, layer, by } of edges) {
    close(at);
    open[layer] = (open[layer] ?? 0) + by;
  }
  close(within.to);
  return pieces;
}

export const lengthOf = (spans: readonly Span[]): number => spans.reduce((sum, s) => sum + (s.to - s.from), 0);
