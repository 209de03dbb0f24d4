/** What is killed. `machine`: all of them at once. */
export const victims = ["engine", "machine", "keeper", "agent", "gateway-worker", "gateway-holder"] as const;
export type Victim = (typeof victims)[number];

/** Where. A boundary is the moment before or after a commit of the journal: events are committed in rounds, so these are all moments between events. */
export type KillPoint =
  | { kind: "boundary"; victim: Victim; side: "before" | "after"; commit: number }
  /** One kill after the other in a run, each so long after the one before: shares of an undisturbed run's time. */
  | { kind: "moments"; kills: readonly { victim: Victim; after: number }[] }
  /** Nothing is killed: the engine is stopped before a commit until another has taken its run, and then goes on. */
  | { kind: "frozen"; commit: number };

export interface PointPlan {
  /** Every n-th boundary for engine and machine; 1 = all. */
  every: number;
  /** The same for the other victims. */
  everyOther: number;
  moments: number;
  /** Every n-th commit as a frozen engine; 0: none. */
  everyFrozen: number;
  seed: number;
}

export const nameOf = (point: KillPoint): string => {
  switch (point.kind) {
    case "boundary":
      return `${point.victim} ${point.side} commit ${point.commit}`;
    case "moments":
      return point.kills.map(({ victim, after }) => `${victim} after ${percent(after)}`).join(", ");
    case "frozen":
      return `engine frozen before commit ${point.commit}`;
    default:
      return point satisfies never;
  }
};
const percent = (share: number): string => `${(share * 100).toFixed(2)} %`;

/** All points of a run with so many commits, in the order they are made; the same seed gives the same. */
export function pointsOf(commits: number, plan: PointPlan): KillPoint[] {
  const points: KillPoint[] = [];
  for (const [i, victim] of victims.entries()) {
    const every = i < 2 ? plan.every : plan.everyOther;
    for (let commit = 1; commit <= commits; commit++) {
      // Which boundaries are left out differs by victim, so that together they cover more.
      if (every === 0 || ((commit - 1 + i) % every !== 0 && !(i < 2 && commit === commits))) continue;
      points.push({ kind: "boundary", victim, side: "before", commit }, { kind: "boundary", victim, side: "after", commit });
    }
  }
  for (let commit = 2; plan.everyFrozen > 0 && commit <= commits; commit += plan.everyFrozen) points.push({ kind: "frozen", commit });
  const random = mulberry32(plan.seed);
  for (let left = plan.moments; left > 0;) {
    const many = Math.min(left, 1 + Math.floor(random() * MOST_KILLS));
    left -= many;
    const kills = Array.from({ length: many }, () => ({
      victim: victims[Math.floor(random() * victims.length)] ?? "engine",
      after: random() / many,
    }));
    points.push({ kind: "moments", kills });
  }
  return points;
}

/** In one run. */
const MOST_KILLS = 3;

/** How many kills a point is; a frozen engine counts as one. */
export const killsOf = (point: KillPoint): readonly Victim[] =>
  point.kind === "moments" ? point.kills.map((k) => k.victim) : point.kind === "boundary" ? [point.victim] : ["engine"];

/** Small, seeded, good enough to choose moments. */
export function mulberry32(seed: number): () => number {
  let a = seed | 0;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

export const isGatewayPart = (victim: Victim): boolean => victim === "gateway-worker" || victim === "gateway-holder";
/** After it somebody has to resume. */
export const stopsEngine = (victim: Victim): boolean => victim === "engine" || victim === "machine";
