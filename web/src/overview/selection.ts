/** Runs that somebody has chosen, to do something with all of them. */
export interface Selection {
  chosen: ReadonlySet<string>;
  /** The one that was touched last: a range begins there. */
  anchor?: string | undefined;
}

export const noneChosen: Selection = { chosen: new Set() };

/** Chooses a run, or lets it go; with `isRange` all from the one that was touched last, as this one. `order`: as they are shown. */
export function toggle({ chosen, anchor }: Selection, order: readonly string[], runId: string, isRange: boolean): Selection {
  const isOn = !chosen.has(runId);
  const [from, to] = [anchor === undefined ? -1 : order.indexOf(anchor), order.indexOf(runId)];
  const touched = isRange && from !== -1 && to !== -1 ? order.slice(Math.min(from, to), Math.max(from, to) + 1) : [runId];
  return { chosen: withAll(chosen, touched, isOn), anchor: runId };
}

/** All of these, or, where all of them are chosen, none of them. */
export function toggleAll({ chosen, anchor }: Selection, runIds: readonly string[]): Selection {
  return { chosen: withAll(chosen, runIds, !runIds.every((id) => chosen.has(id))), anchor };
}

function withAll(chosen: ReadonlySet<string>, runIds: readonly string[], isOn: boolean): ReadonlySet<string> {
  const next = new Set(chosen);
  for (const id of runIds) {
    if (isOn) next.add(id);
    else next.delete(id);
  }
  return next;
}
