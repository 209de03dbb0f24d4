import { setTimeout as sleep } from "node:timers/promises";
import { bundleProgram } from "./bundle.ts";
import { crashAt, runUndisturbed, type PointResult, type Undisturbed } from "./crash-at.ts";
import type { Evidence } from "./evidence.ts";
import type { Problem } from "./inspect.ts";
import { killsOf, nameOf, pointsOf, victims, type KillPoint, type PointPlan } from "./points.ts";
import { processesIn, signal } from "./processes.ts";
import { CrashScene } from "./scene.ts";

export interface CrashOptions extends PointPlan {
  lanes: number;
  /** Only the points whose number divided by `of` leaves `index`. */
  shard?: { index: number; of: number };
  /** Only points whose name holds this. */
  only?: string;
  evidence: Evidence;
  /** Begins no further point. */
  signal?: AbortSignal;
  onPoint?: (result: PointResult) => void;
}

export interface CrashReport {
  /** Kills, and engines that were frozen. */
  points: number;
  /** Some have several kills. */
  runs: number;
  boundaries: number;
  moments: number;
  frozen: number;
  byVictim: Record<string, number>;
  /** Commits of an undisturbed run. */
  commits: number;
  /** Kills that found the run over, or nothing to kill. */
  missed: number;
  outlived: number;
  interrupted: number;
  reattached: number;
  cutCalls: number;
  calls: number;
  /** Agents that were there when the engine died. */
  agents: number;
  restarted: number;
  lost: number;
  doubled: number;
  orphans: number;
  /** Points at which something was wrong. */
  failed: number;
}

/** Kills at many points, each time in a run of its own, lets the real program go on, and looks at what came of it. */
export async function crashEverywhere(options: CrashOptions): Promise<CrashReport> {
  using program = await bundleProgram();
  const lanes: { scene: CrashScene; measure: Undisturbed }[] = [];
  try {
    for (let i = 0; i < options.lanes; i++) {
      const scene = await CrashScene.make(program);
      // The trees of all lanes are the same but for the address of the endpoint in their settings.
      lanes.push({ scene, measure: await runUndisturbed(scene) });
    }
    const [first] = lanes;
    if (!first) throw new TypeError("at least one lane");
    const { evidence } = options;
    const commits = evidence.heading?.commits ?? first.measure.commits;
    if (!evidence.heading) {
      const { every, everyOther, everyFrozen, moments, seed } = options;
      const startedAt = new Date().toISOString();
      evidence.begin({ kind: "plan", every, everyOther, everyFrozen, moments, seed, commits, undisturbedMs: first.measure.ms, startedAt });
    }
    const { shard, only } = options;
    const waiting = pointsOf(commits, options)
      .map((point, n) => ({ point, n }))
      .filter(({ n }) => shard === undefined || n % shard.of === shard.index)
      .filter(({ point }) => (only === undefined || nameOf(point).includes(only)) && !evidence.has(nameOf(point)));
    await Promise.all(
      lanes.map(async ({ scene, measure }) => {
        for (let next = waiting.shift(); next && options.signal?.aborted !== true; next = waiting.shift()) {
          const result = await crashAt(scene, next.point, measure, options.seed + next.n);
          evidence.add(result);
          options.onPoint?.(result);
        }
      }),
    );
    const left = (await Promise.all(lanes.map(({ scene }) => gatewaysLeft(scene)))).flat();
    const report = reportOf(evidence.results, commits);
    return { ...report, orphans: report.orphans + left.length };
  } finally {
    for (const { scene } of lanes) await scene[Symbol.asyncDispose]();
  }
}

/** A gateway ends by itself when nobody has used it for 15 seconds. */
const GATEWAY_IDLE_MS = 25_000;

async function gatewaysLeft({ scene }: CrashScene): Promise<string[]> {
  for (let waited = 0; processesIn(scene.folder).length > 0 && waited < GATEWAY_IDLE_MS; waited += 250) await sleep(250);
  const left = processesIn(scene.folder);
  for (const { pid } of left) signal(pid, "SIGKILL");
  return left.map((p) => p.command);
}

export function reportOf(results: readonly PointResult[], commits: number): CrashReport {
  const count = (kind: Problem["kind"]): number => results.flatMap((r) => r.problems).filter((p) => p.kind === kind).length;
  const sum = (of: (r: PointResult) => number): number => results.reduce((n, r) => n + of(r), 0);
  const of = (kind: KillPoint["kind"]): number => results.flatMap((r) => (r.point.kind === kind ? killsOf(r.point) : [])).length;
  const victimsOf = ({ point }: PointResult): readonly string[] => (point.kind === "frozen" ? ["frozen"] : killsOf(point));
  return {
    points: results.flatMap((r) => killsOf(r.point)).length,
    runs: results.length,
    boundaries: of("boundary"),
    moments: of("moments"),
    frozen: of("frozen"),
    byVictim: Object.fromEntries([...victims, "frozen"].map((v) => [v, results.flatMap(victimsOf).filter((of) => of === v).length])),
    commits,
    missed: sum((r) => r.missed),
    outlived: sum((r) => r.outlived),
    interrupted: sum((r) => r.inspection.interrupted),
    reattached: sum((r) => r.inspection.reattached),
    cutCalls: sum((r) => r.inspection.cutCalls),
    calls: sum((r) => r.inspection.calls),
    agents: sum((r) => r.agents),
    restarted: sum((r) => r.restarted),
    lost: count("lost"),
    doubled: count("doubled"),
    orphans: count("orphan"),
    failed: results.filter((r) => r.problems.length > 0).length,
  };
}
