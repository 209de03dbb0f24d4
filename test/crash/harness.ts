import { setTimeout as sleep } from "node:timers/promises";
import { ulid } from "ulid";
import { inspectRun, isCheckingMerge, processesOf, type Inspection, type Problem } from "./inspect.ts";
import type { Running } from "../../src/cli/cli.testkit.ts";
import { VictimScene } from "./victim-scene.ts";

/** Where the engine is killed. */
export type KillPoint =
  | { kind: "boundary"; side: "before" | "after"; commit: number }
  /** Share of an undisturbed run's time; `again`: the same for the first resume. */
  | { kind: "moment"; share: number; again?: number }
  /** In the middle of a model's answer, or of a gate that checks a merged tree: both go on when the engine is gone. */
  | { kind: "seen"; what: "answer" | "merge-check" };

export interface PointResult {
  point: KillPoint;
  /** The victim came to its end before the point. */
  survived: boolean;
  /** Processes that outlived the engine. */
  outlived: number;
  inspection: Inspection;
  problems: Problem[];
}

export interface CrashReport {
  points: number;
  boundaries: number;
  /** Commits of an undisturbed run. */
  commits: number;
  survived: number;
  /** Killed before anything was in the journal: there is no run to resume. */
  unborn: number;
  outlived: number;
  interrupted: number;
  cutCalls: number;
  lost: number;
  doubled: number;
  orphans: number;
  results: PointResult[];
}

export interface CrashOptions {
  /** Every n-th boundary, the first and the last always; 1 = all. */
  every: number;
  moments: number;
  seed: number;
  lanes: number;
  onPoint?: (result: PointResult) => void;
}

/** Kills an engine at many points, each time in a run of its own, resumes with the real program, and looks at what came of it. */
export async function crashEverywhere(options: CrashOptions): Promise<CrashReport> {
  const random = mulberry32(options.seed);
  const lanes: VictimScene[] = [];
  try {
    for (let i = 0; i < options.lanes; i++) lanes.push(await VictimScene.make());
    const [first] = lanes;
    if (!first) throw new TypeError("at least one lane");
    const undisturbed = await runUndisturbed(first);
    const points = pointsOf(undisturbed.commits, options, random);
    const results: PointResult[] = [];
    const waiting = [...points];
    await Promise.all(
      lanes.map(async (lane) => {
        // The trees of all lanes must be the same but for the address of the endpoint in their settings.
        const tree = lane === first ? undisturbed.tree : (await runUndisturbed(lane)).tree;
        for (let point = waiting.shift(); point; point = waiting.shift()) {
          const result = await crashAt(lane, point, undisturbed.ms, tree);
          results.push(result);
          options.onPoint?.(result);
        }
      }),
    );
    const count = (kind: Problem["kind"]): number => results.flatMap((r) => r.problems).filter((p) => p.kind === kind).length;
    const sum = (of: (r: PointResult) => number): number => results.reduce((n, r) => n + of(r), 0);
    return {
      points: results.length,
      boundaries: results.filter((r) => r.point.kind === "boundary").length,
      commits: undisturbed.commits,
      survived: results.filter((r) => r.survived).length,
      unborn: results.filter((r) => !r.inspection.exists).length,
      outlived: sum((r) => r.outlived),
      interrupted: sum((r) => r.inspection.interrupted),
      cutCalls: sum((r) => r.inspection.cutCalls),
      lost: count("lost"),
      doubled: count("doubled"),
      orphans: count("orphan"),
      results,
    };
  } finally {
    for (const lane of lanes) await lane[Symbol.asyncDispose]();
  }
}

function pointsOf(commits: number, options: CrashOptions, random: () => number): KillPoint[] {
  const points: KillPoint[] = [];
  for (let commit = 1; commit <= commits; commit++) {
    if ((commit - 1) % options.every !== 0 && commit !== commits) continue;
    points.push({ kind: "boundary", side: "before", commit }, { kind: "boundary", side: "after", commit });
  }
  points.push({ kind: "seen", what: "answer" }, { kind: "seen", what: "merge-check" });
  for (let i = 0; i < options.moments; i++) points.push({ kind: "moment", share: random(), ...(i % 2 === 1 ? { again: random() } : {}) });
  return points;
}

async function runUndisturbed(lane: VictimScene): Promise<{ commits: number; ms: number; tree: string }> {
  const runId = ulid().toLowerCase();
  const before = lane.model.served().length;
  const ran = lane.lines("ran").length;
  const from = performance.now();
  const ended = await lane.victim(runId).ended;
  const ms = performance.now() - from;
  if (ended.code !== 0) throw new Error(`the undisturbed run ended with ${ended.code ?? ended.signal}: ${ended.stderr}`);
  const { commits } = JSON.parse(ended.stdout) as { commits: number };
  const served = lane.model.served().slice(before);
  const { problems, tree } = await inspectRun(lane, runId, { served, tree: undefined, left: [], ran: lane.lines("ran").slice(ran) });
  if (problems.length > 0 || !tree) throw new Error(`the undisturbed run is wrong: ${JSON.stringify(problems)}`);
  return { commits, ms, tree };
}

async function crashAt(lane: VictimScene, point: KillPoint, ms: number, tree: string): Promise<PointResult> {
  const runId = ulid().toLowerCase();
  const servedBefore = lane.model.served().length;
  const ranBefore = lane.lines("ran").length;
  const metBefore = lane.lines("met").length;
  if (point.kind === "seen" && point.what === "answer") lane.pace.chunkDelayMs = 500;
  if (point.kind === "seen" && point.what === "merge-check") lane.setGate(30);
  const victim = lane.victim(runId, point.kind === "boundary" ? point : undefined);
  if (point.kind === "moment") void killAfter(victim.child, point.share * ms);
  if (point.kind === "seen") void killWhenSeen(lane, point.what, runId, victim);
  const ended = await victim.ended;
  const left = processesOf(runId);
  const problems: Problem[] = [];
  const survived = ended.signal !== "SIGKILL";
  if (survived && ended.code !== 0) problems.push({ kind: "lost", text: `the victim ended with ${ended.code}: ${ended.stderr}` });
  if (point.kind === "moment" && point.again !== undefined) {
    const resumed = lane.resume(runId);
    void killAfter(resumed.child, point.again * ms);
    await new Promise((resolve) => resumed.child.once("exit", resolve));
    left.push(...processesOf(runId));
  }
  lane.setGate(0.2);
  const resumed = await lane.resume(runId).ended;
  lane.pace.chunkDelayMs = 10;
  const inspection = await inspectRun(lane, runId, {
    served: lane.model.served().slice(servedBefore),
    tree,
    left,
    ran: lane.lines("ran").slice(ranBefore),
  });
  problems.push(...inspection.problems);
  for (const met of lane.lines("met").slice(metBefore)) problems.push({ kind: "orphan", text: met });
  const expectedCode = inspection.exists ? 0 : 2;
  if (resumed.code !== expectedCode)
    problems.push({ kind: "lost", text: `resume ended with ${resumed.code ?? resumed.signal}: ${resumed.stderr.slice(-800)}` });
  if (!inspection.exists && point.kind === "boundary" && !(point.commit === 1 && point.side === "before"))
    problems.push({ kind: "lost", text: "the run is not in the journal" });
  return { point, survived, outlived: left.length, inspection, problems };
}

async function killAfter(child: { kill(signal: "SIGKILL"): boolean }, ms: number): Promise<void> {
  await sleep(ms);
  child.kill("SIGKILL");
}

async function killWhenSeen(lane: VictimScene, what: "answer" | "merge-check", runId: string, victim: Running): Promise<void> {
  const calls = lane.model.served().length;
  let isOver = false;
  void victim.ended.then(() => (isOver = true));
  const isThere = (): boolean => {
    if (what === "answer")
      return lane.model
        .served()
        .slice(calls)
        .some((c) => c.outcome === "open" && c.sentChunks >= 3);
    return isCheckingMerge(runId);
  };
  while (!isOver && !isThere()) await sleep(10);
  lane.pace.chunkDelayMs = 10;
  victim.child.kill("SIGKILL");
}

export const describePoint = (point: KillPoint): string =>
  point.kind === "boundary"
    ? `${point.side} commit ${point.commit}`
    : point.kind === "seen"
      ? `in the middle of ${point.what === "answer" ? "a model's answer" : "a gate on a merged tree"}`
      : `at ${Math.round(point.share * 100)} % of the time${point.again === undefined ? "" : `, and the first resume at ${Math.round(point.again * 100)} %`}`;

/** Small, seeded, good enough to choose moments. */
function mulberry32(seed: number): () => number {
  let a = seed | 0;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
