import type { Provenance, RunState, StepState, Usage } from "../../../../src/domain/index.ts";
import { askedSteps, byUrgency, shownStatus, type ShownStatus } from "./status.ts";

/** A step as lists and the graph show it. */
export interface StepView {
  path: string;
  /** The end of its path that tells it from its siblings. */
  label: string;
  kind: StepState["step"]["kind"];
  status: ShownStatus;
  parent?: string | undefined;
  /** Of the last attempt. */
  tier?: string | undefined;
  agent?: string | undefined;
  attempts: number;
  /** What the attempts that are over have used, by their own figures. Absent: none has said anything. */
  cost?: { microUsd: number; provenance: Provenance } | undefined;
  /** Of a group: how it is made, how its children stand, and what they cost. */
  fan?: Fan | undefined;
}

export interface Fan {
  how: "each" | "best-of" | "pipeline";
  total: number;
  counts: Partial<Record<ShownStatus, number>>;
  round: number;
}

const weakest: readonly Provenance[] = ["reported", "estimated", "unknown"];

export function costOf(usages: readonly (Usage | undefined)[]): StepView["cost"] {
  let found: StepView["cost"];
  for (const u of usages) {
    if (!u) continue;
    const provenance =
      weakest.indexOf(u.provenance) > weakest.indexOf(found?.provenance ?? "reported") ? u.provenance : (found?.provenance ?? u.provenance);
    found = { microUsd: (found?.microUsd ?? 0) + u.microUsd, provenance };
  }
  return found;
}

/** All steps, in the order they came. One pass: groups are told what is below them. */
export function stepViews(state: RunState): Map<string, StepView> {
  const asked = askedSteps(state);
  const views = new Map<string, StepView>();
  for (const [path, s] of state.steps) views.set(path, stepView(state, s, asked));
  // Children come after their groups, so from the end inner groups are complete before outer ones count them.
  for (const view of [...views.values()].reverse()) {
    const group = view.parent === undefined ? undefined : views.get(view.parent);
    if (view.fan && view.status === "running" && waitsInside(view.fan)) view.status = "people";
    if (!group?.fan) continue;
    group.fan.total += 1;
    group.fan.counts[view.status] = (group.fan.counts[view.status] ?? 0) + 1;
    group.attempts += view.attempts;
    if (view.cost) group.cost = costOf([asUsage(group.cost), asUsage(view.cost)]);
  }
  return views;
}

/** Somebody is asked in there, and nothing else goes on. */
const waitsInside = ({ counts }: Fan): boolean =>
  (counts.people ?? 0) > 0 && !counts.running && !counts.merging && !counts.queued && !counts.ready && !counts.quota;

export const asUsage = (cost: StepView["cost"]): Usage | undefined =>
  cost && { calls: 0, inputTokens: 0, cachedInputTokens: 0, outputTokens: 0, ...cost };

function stepView(state: RunState, s: StepState, asked: ReadonlySet<string>): StepView {
  const { path, parent, kind } = s.step;
  const last = s.attempts.at(-1);
  return {
    path,
    label: parent === undefined ? path : path.slice(parent.length + 1),
    kind,
    status: shownStatus(state, s, asked),
    parent,
    tier: last?.tier,
    agent: last?.agent,
    attempts: s.attempts.length,
    cost: costOf(s.attempts.map((a) => a.usage)),
    fan: s.step.kind === "group" ? { how: s.step.body.kind, total: 0, counts: {}, round: s.group?.round ?? 0 } : undefined,
  };
}

/**
 * The same views, each the object it was before where nothing of it changed: memoised nodes and rows are then left alone. Where nothing at all
 * changed it is the map from before.
 */
export function shareViews(before: ReadonlyMap<string, StepView>, now: Map<string, StepView>): ReadonlyMap<string, StepView> {
  let isSame = before.size === now.size;
  for (const [path, view] of now) {
    const old = before.get(path);
    if (old && isSameView(old, view)) now.set(path, old);
    else isSame = false;
  }
  return isSame ? before : now;
}

function isSameView(a: StepView, b: StepView): boolean {
  return (
    a.status === b.status &&
    a.attempts === b.attempts &&
    a.tier === b.tier &&
    a.agent === b.agent &&
    a.label === b.label &&
    a.kind === b.kind &&
    a.parent === b.parent &&
    a.cost?.microUsd === b.cost?.microUsd &&
    a.cost?.provenance === b.cost?.provenance &&
    isSameFan(a.fan, b.fan)
  );
}

function isSameFan(a: Fan | undefined, b: Fan | undefined): boolean {
  if (!a || !b) return a === b;
  const statuses = Object.keys({ ...a.counts, ...b.counts }) as ShownStatus[];
  return a.total === b.total && a.round === b.round && statuses.every((s) => a.counts[s] === b.counts[s]);
}

/**
 * For the side list: what failed first, then what waits for people; among equals groups, which only count others, after those that it is about, and
 * else as the pipeline has them.
 */
export const listOrder = (views: ReadonlyMap<string, StepView>): StepView[] =>
  [...views.values()].sort((a, b) => byUrgency(a, b) || Number(a.fan !== undefined) - Number(b.fan !== undefined));
