import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { createKeeperHost, isAlive, type KeeperHost, type ProcessRecord } from "../src/agents/index.ts";
import { launcher, Scene } from "../src/cli/cli.testkit.ts";
import { emptyRun, fold, runStream } from "../src/domain/index.ts";
import { saveOptions } from "../src/setup/run-options.ts";
import { openSqliteStore } from "../src/store/index.ts";
import type { EngineOrder, EngineWord } from "./recovery-engine.ts";
import { liveStep, longHistory, longPipeline, store as storeHistory } from "./recovery-journal.ts";

export interface RecoveryTimes {
  /** In the journal when the last recovery began. */
  events: number;
  bytes: number;
  /** Of each recovery, from `engine.drive` in a fresh process. */
  firstCommitMs: number[];
  dispatchedMs: number[];
  cpuMs: number[];
  /** Of each recovery, from the start of the process `stepfall resume`. */
  resumeMs: number[];
  /** `stepfall --version`, from start to end: what starting the program takes. */
  versionMs: number[];
  /** The store reads all events of the run, checked and upcast; a fold of them; and the limit, a bare loop over the same rows with JSON.parse. */
  readMs: number[];
  foldMs: number[];
  bareReadMs: number[];
}

const clock = { now: (): number => Date.now() };
const engine = fileURLToPath(new URL("./recovery-engine.ts", import.meta.url));
const runId = "01recovery";
/** A machine that takes longer has another trouble. */
const PATIENCE_MS = 45_000;

/**
 * A run with a long journal and `live` attempts under keepers. Its engine is killed, and the agent of one attempt with its keeper; then a fresh one
 * goes on: it takes the others up, records that one as interrupted, and starts it again. That one is killed in turn, and so on.
 */
export async function timeRecovery({ events, live, rounds }: { events: number; live: number; rounds: number }): Promise<RecoveryTimes> {
  await using scene = new Scene({ "stepfall.yaml": `slots: ${live}\n` });
  const keepers = createKeeperHost({ home: scene.home, clock, mask: (text) => text, secrets: () => [] });
  const file = join(scene.home, "stepfall.db");
  const base = scene.git("rev-parse", "HEAD");
  saveOptions(scene.home, runId, {});
  const store = await openSqliteStore({ file, clock });
  const history = longHistory({ runId, pipeline: longPipeline(events, live), project: scene.project, base, at: clock.now() - 86_400_000 });
  await storeHistory(store, runId, history);
  const order = { runId, project: scene.project, base };
  const times: RecoveryTimes = {
    events: 0,
    bytes: 0,
    firstCommitMs: [],
    dispatchedMs: [],
    cpuMs: [],
    resumeMs: [],
    versionMs: [],
    readMs: [],
    foldMs: [],
    bareReadMs: [],
  };
  let driving: ChildProcess | undefined;
  try {
    const first = engineOn(scene, { ...order, reattached: 0, started: live });
    driving = first.child;
    await first.word;
    for (let round = 0; round < rounds; round++) {
      await killWithOneAgent(driving, keepers, live, round % live);
      const next = engineOn(scene, { ...order, reattached: live - 1, started: 1 });
      driving = next.child;
      const word = await next.word;
      times.firstCommitMs.push(word.firstCommitMs);
      times.dispatchedMs.push(word.dispatchedMs);
      times.cpuMs.push(word.cpuMs);
    }
    for (let round = 0; round < rounds; round++) {
      await killWithOneAgent(driving, keepers, live, round % live);
      const seen = (await store.readAll()).at(-1)?.globalSeq ?? 0;
      const resumed = await resume(scene, file, seen, { reattached: live - 1, started: 1 });
      driving = resumed.child;
      times.resumeMs.push(resumed.ms);
    }
    await end(driving);
    driving = undefined;
    for (let round = 0; round < rounds; round++) {
      const from = performance.now();
      if ((await scene.run(["--version"])).code !== 0) throw new Error("`stepfall --version` failed");
      times.versionMs.push(performance.now() - from);
    }
    for (let round = 0; round < rounds; round++) {
      const from = performance.now();
      const read = await store.read(runStream(runId));
      times.readMs.push(performance.now() - from);
      const folding = performance.now();
      fold(read, emptyRun());
      times.foldMs.push(performance.now() - folding);
      times.events = read.length;
      const bare = bareRead(file);
      times.bareReadMs.push(bare.ms);
      times.bytes = bare.bytes;
    }
    return times;
  } finally {
    if (driving) await end(driving);
    for (const attempt of keepers.list()) {
      await keepers.endLeftovers(attempt);
      await keepers.forget(attempt);
    }
    await store.close();
  }
}

function engineOn(scene: Scene, order: EngineOrder): { child: ChildProcess; word: Promise<EngineWord> } {
  const child = start(scene, [engine, JSON.stringify(order)]);
  return { child, word: within(wordOf(child)) };
}

async function wordOf(child: ChildProcess): Promise<EngineWord> {
  let said = "";
  const closed = once(child, "close").then(([code]) => {
    throw new Error(`the engine ended with ${String(code)} before it had dispatched anything`);
  });
  const word = new Promise<EngineWord>((resolve) =>
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      said += text;
      if (said.includes("\n")) resolve(JSON.parse(said.slice(0, said.indexOf("\n"))) as EngineWord);
    }),
  );
  return Promise.race([word, closed]);
}

/** From the start of the process until the same events are in the journal, as another process sees them: looked for every 2 ms. */
async function resume(
  scene: Scene,
  file: string,
  seen: number,
  { reattached, started }: { reattached: number; started: number },
): Promise<{ child: ChildProcess; ms: number }> {
  const db = new DatabaseSync(file, { readOnly: true });
  const count = db.prepare("SELECT count(*) AS n FROM events WHERE global_seq > ? AND type = ?");
  const counted = (type: string): number => Number(count.get(seen, type)?.["n"]);
  const from = performance.now();
  const child = start(scene, [launcher, "resume", runId, "--wait", "--json"], "ignore");
  try {
    while (counted("AttemptReattached") < reattached || counted("AttemptStarted") < started) {
      if (child.exitCode !== null || performance.now() - from > PATIENCE_MS)
        throw new Error("`stepfall resume` did not go on with the run");
      await sleep(2);
    }
    return { child, ms: performance.now() - from };
  } catch (error) {
    await end(child);
    throw error;
  } finally {
    db.close();
  }
}

function start(scene: Scene, args: readonly string[], stderr: "inherit" | "ignore" = "inherit"): ChildProcess {
  return spawn(process.execPath, ["--disable-warning=ExperimentalWarning", ...args], {
    cwd: scene.project,
    env: { PATH: process.env["PATH"], HOME: scene.folder, STEPFALL_HOME: scene.home, LC_ALL: "C.UTF-8" },
    stdio: ["ignore", "pipe", stderr],
  });
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, "exit");
  child.kill("SIGKILL");
  await gone;
}

/** Waits until every live attempt has its agent, then kills. */
async function killWithOneAgent(driving: ChildProcess, keepers: KeeperHost, live: number, victim: number): Promise<void> {
  const running = (): { step: string; of: ProcessRecord[] }[] =>
    keepers.list().flatMap((attempt) =>
      keepers.kept(attempt).flatMap(({ state, agent, keeper }) => {
        const step = attempt.slice(runId.length + 1, attempt.lastIndexOf("#"));
        return state.kind === "running" && agent && keeper ? [{ step, of: [keeper, agent] }] : [];
      }),
    );
  const until = performance.now() + PATIENCE_MS;
  while (running().length < live) {
    if (performance.now() > until) throw new Error(`${running().length} of ${live} agents run`);
    await sleep(20);
  }
  const struck = running().find(({ step }) => step === liveStep(victim));
  await end(driving);
  for (const { pid } of struck?.of ?? []) process.kill(pid, "SIGKILL");
  while (struck?.of.some((p) => isAlive(p))) await sleep(5);
}

function bareRead(file: string): { ms: number; bytes: number } {
  const db = new DatabaseSync(file, { readOnly: true });
  try {
    const from = performance.now();
    const rows = db
      .prepare("SELECT e.version, e.type, e.at, e.data FROM events e JOIN streams s ON s.id = e.stream WHERE s.name = ? ORDER BY e.version")
      .all(runStream(runId));
    let bytes = 0;
    for (const { data } of rows) {
      JSON.parse(String(data));
      bytes += String(data).length;
    }
    return { ms: performance.now() - from, bytes };
  } finally {
    db.close();
  }
}

async function within<T>(what: Promise<T>): Promise<T> {
  const patience = AbortSignal.timeout(PATIENCE_MS);
  const late = once(patience, "abort").then(() => {
    throw new Error(`nothing was dispatched within ${PATIENCE_MS / 1000} s`);
  });
  return Promise.race([what, late]);
}
