import { setTimeout as sleep } from "node:timers/promises";
import { ulid } from "ulid";
import { inspectRun, type Inspection, type Problem } from "./inspect.ts";
import { answerPeople } from "./people.ts";
import { killsOf, mulberry32, nameOf, stopsEngine, type KillPoint } from "./points.ts";
import { keptAgents, processesIn, type KeptAgent } from "./processes.ts";
import type { CrashScene, EngineEnd, EngineProcess } from "./scene.ts";
import { livingAgents, strike, type Strike } from "./strike.ts";

/** What came of a point. Plain data: a line of the evidence. */
export interface PointResult {
  name: string;
  point: KillPoint;
  runId: string;
  /** Kills that found the run over, or nothing there to be killed. */
  missed: number;
  /** Processes of attempts that outlived the victim. */
  outlived: number;
  /** Agents that were alive, or had ended unnoticed, when the engine died: each is to finish under the next one. */
  agents: number;
  /** Of these, how many did not, and were started again. */
  restarted: number;
  ms: number;
  inspection: Omit<Inspection, "problems">;
  problems: Problem[];
}

/** Nothing of a run takes so long, on a starved machine neither; one that does hangs. */
const PATIENCE_MS = 240_000;
const FROZEN_LEASE_MS = 1500;

/** A run in which everything goes well, as the measure of the others. */
export interface Undisturbed {
  commits: number;
  /** From the first commit to the end. */
  ms: number;
  tree: string;
}

export async function runUndisturbed(lane: CrashScene): Promise<Undisturbed> {
  const runId = ulid().toLowerCase();
  const before = lane.mark();
  const engine = lane.engine(runId);
  const people = answerWhile(lane, runId, engine);
  await engine.begun;
  const from = performance.now();
  const ended = await endOf(engine);
  const ms = performance.now() - from;
  await people;
  if (ended.code !== 0) throw new Error(`the undisturbed run ended with ${ended.code ?? ended.signal}: ${ended.stderr}`);
  const commits = /"commits":(\d+)/.exec(ended.stdout)?.[1];
  const inspection = await inspectRun(lane, runId, {
    since: before,
    tree: undefined,
    struck: [],
    agents: [],
    victims: [],
    isFrozen: false,
  });
  if (inspection.problems.length > 0 || !inspection.tree)
    throw new Error(`the undisturbed run is wrong: ${JSON.stringify(inspection.problems)}`);
  return { commits: Number(commits), ms, tree: inspection.tree };
}

/** Kills at a point, lets the run be brought to its end, and looks at what came of it. */
export async function crashAt(lane: CrashScene, point: KillPoint, measure: Undisturbed, seed: number): Promise<PointResult> {
  const began = performance.now();
  const runId = ulid().toLowerCase();
  const before = lane.mark();
  let isOver = false;
  const people = answerPeople(lane.store, runId, () => isOver);
  const problems: Problem[] = [];
  const done = await disturb(lane, { point, runId, ms: measure.ms, pick: mulberry32(seed) }, problems).finally(() => (isOver = true));
  await people;
  const { problems: found, ...inspection } = await inspectRun(lane, runId, {
    since: before,
    tree: measure.tree,
    struck: done.struck,
    agents: done.agents,
    victims: killsOf(point),
    isFrozen: point.kind === "frozen",
  });
  problems.push(...found);
  if (!inspection.exists && !isUnborn(point)) problems.push({ kind: "lost", text: "the run is not in the journal" });
  return {
    name: nameOf(point),
    point,
    runId,
    missed: done.missed,
    outlived: done.outlived,
    agents: done.agents.length,
    restarted: inspection.restarted,
    ms: Math.round(performance.now() - began),
    inspection,
    problems,
  };
}

/** Killed before the first commit: there is no run. */
const isUnborn = (point: KillPoint): boolean => point.kind === "boundary" && point.commit === 1 && point.side === "before";

interface Done {
  missed: number;
  struck: string[];
  agents: KeptAgent[];
  outlived: number;
}

async function disturb(
  lane: CrashScene,
  { point, runId, ms, pick }: { point: KillPoint; runId: string; ms: number; pick: () => number },
  problems: Problem[],
): Promise<Done> {
  switch (point.kind) {
    case "frozen":
      return freeze(lane, point.commit, runId, problems);
    case "boundary":
      return atBoundary(lane, point, runId, pick, problems);
    case "moments":
      return atMoments(lane, point, { runId, ms, pick }, problems);
    default:
      return point satisfies never;
  }
}

async function atBoundary(
  lane: CrashScene,
  { victim, side, commit }: Extract<KillPoint, { kind: "boundary" }>,
  runId: string,
  pick: () => number,
  problems: Problem[],
): Promise<Done> {
  // The engine kills itself: nothing else has time to happen. For the others it stands still at the boundary.
  const engine = lane.engine(runId, { halt: { side, commit, act: victim === "engine" ? "kill" : "stop" } });
  await Promise.race([engine.halted, engine.ended]);
  const isHalted = engine.isHalted;
  let done: Strike = { missed: !isHalted, struck: [], agents: [] };
  if (isHalted && victim === "engine") {
    await engine.ended;
    done = { ...done, agents: livingAgents(lane.scene.home, runId) };
  } else if (isHalted) done = await strike(lane, { victim, runId, engine, pick: pick() });
  engine.goOn();
  const outlived = attemptProcesses(lane, runId);
  await bringToEnd(
    lane,
    engine,
    { runId, isKilled: isHalted && stopsEngine(victim), isUnborn: commit === 1 && side === "before" },
    problems,
  );
  return { ...done, missed: done.missed ? 1 : 0, outlived };
}

async function atMoments(
  lane: CrashScene,
  { kills }: Extract<KillPoint, { kind: "moments" }>,
  { runId, ms, pick }: { runId: string; ms: number; pick: () => number },
  problems: Problem[],
): Promise<Done> {
  const done: Done = { missed: 0, struck: [], agents: [], outlived: 0 };
  let engine = lane.engine(runId);
  await engine.begun;
  let isKilled = false;
  for (const { victim, after } of kills) {
    if (isKilled) {
      engine = lane.resume(runId);
      // It is up after some time; what counts are moments of its work.
      await Promise.race([sleep(RESUME_MS), engine.ended]);
    }
    await Promise.race([sleep(after * ms), engine.ended]);
    const { missed, struck, agents } = await strike(lane, { victim, runId, engine, pick: pick() });
    isKilled = stopsEngine(victim) && !missed;
    if (missed) done.missed += 1;
    done.struck.push(...struck);
    // What was killed with the machine, or by itself later on, cannot finish.
    done.agents = [...done.agents, ...agents];
    if (isKilled) done.outlived += attemptProcesses(lane, runId);
  }
  done.agents = [...new Map(done.agents.filter((k) => !done.struck.includes(k.attempt)).map((k) => [k.attempt, k])).values()];
  await bringToEnd(lane, engine, { runId, isKilled, isUnborn: false }, problems);
  return done;
}

/** How long a resume takes until it has the run. */
const RESUME_MS = 300;

const attemptProcesses = (lane: CrashScene, runId: string): number =>
  processesIn(lane.scene.folder).filter((p) => p.attempt?.startsWith(`${runId}/`)).length;

async function bringToEnd(
  lane: CrashScene,
  engine: EngineProcess,
  { runId, isKilled, isUnborn }: { runId: string; isKilled: boolean; isUnborn: boolean },
  problems: Problem[],
): Promise<void> {
  const first = await endOf(engine);
  if (!isKilled) return sayEnd("the engine", first, problems);
  const last = await endOf(lane.resume(runId));
  // Killed after its very last commit: nobody drives such a run again, and what is left of it is for `gc`.
  if (/There is nothing to resume/.test(last.stderr)) sayEnd("gc", await endOf(lane.program("gc", "--yes")), problems);
  if (!isUnborn) sayEnd("resume", last, problems);
  else if (last.code !== 2) problems.push({ kind: "lost", text: `resume of no run ended with ${last.code}: ${last.stderr.slice(-800)}` });
}

/** The engine is stopped like a laptop that is closed; its leases run out, another takes the run, and then it wakes up in the middle of a commit. */
async function freeze(lane: CrashScene, commit: number, runId: string, problems: Problem[]): Promise<Done> {
  const first = lane.engine(runId, { halt: { side: "before", commit, act: "stop" }, leaseMs: FROZEN_LEASE_MS });
  await Promise.race([first.halted, first.ended]);
  const none = { missed: first.isHalted ? 0 : 1, struck: [], outlived: 0 };
  if (!first.isHalted) {
    sayEnd("the engine", await endOf(first), problems);
    return { ...none, agents: [] };
  }
  const held = await leaseOf(lane, runId);
  while (((await leaseOf(lane, runId))?.until ?? 0) >= Date.now()) await sleep(50);
  const agents = keptAgents(lane.scene.home, runId).filter((k) => k.agent);
  const second = lane.resume(runId);
  let isOver = false;
  void second.ended.then(() => (isOver = true));
  // Until it has the run, and a moment longer: by then it works.
  while (!isOver && (await leaseOf(lane, runId))?.epoch === held?.epoch) await sleep(20);
  await Promise.race([sleep(150), second.ended]);
  first.goOn();
  const [old, last] = await Promise.all([endOf(first), endOf(second)]);
  sayEnd("resume", last, problems);
  // What it did until it knew is for `gc`.
  sayEnd("gc", await endOf(lane.program("gc", "--yes")), problems);
  if (!/"kind":"(taken-over|finished)"/.test(old.stdout) && !/STORE_STALE_LEASE|is over: /.test(old.stderr))
    problems.push({
      kind: "lost",
      text: `the engine that was taken over ended with ${old.code ?? old.signal}: ${old.stdout} ${old.stderr.slice(-800)}`,
    });
  return { ...none, agents };
}

const leaseOf = async (lane: CrashScene, runId: string) => (await lane.store.leases(`run:${runId}`))[0];

async function endOf(engine: EngineProcess): Promise<EngineEnd> {
  const timer = setTimeout(() => engine.child.kill("SIGKILL"), PATIENCE_MS);
  const began = performance.now();
  const ended = await engine.ended;
  clearTimeout(timer);
  return performance.now() - began >= PATIENCE_MS
    ? { ...ended, stderr: `${ended.stderr}\nit hung, and was killed after ${PATIENCE_MS} ms` }
    : ended;
}

function sayEnd(who: string, { code, signal, stderr, stdout }: EngineEnd, problems: Problem[]): void {
  if (code !== 0) problems.push({ kind: "lost", text: `${who} ended with ${code ?? signal}: ${(stderr || stdout).slice(-800)}` });
}

async function answerWhile(lane: CrashScene, runId: string, engine: EngineProcess): Promise<void> {
  let isOver = false;
  void engine.ended.then(() => (isOver = true));
  await answerPeople(lane.store, runId, () => isOver);
}
