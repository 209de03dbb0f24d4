import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { DEFAULT_TIERS } from "../src/config/index.ts";
import type { AgentHost, Executor } from "../src/agents/index.ts";
import { apply, decide, emptyRun, type Pipeline, type RunEvent, type Step } from "../src/domain/index.ts";
import { createEngine, type AgentExecution, type EngineDeps } from "../src/engine/index.ts";
import { Registry } from "../src/fleet/index.ts";
import { openSqliteStore } from "../src/store/index.ts";
import type { Workspaces } from "../src/workspace/index.ts";
import { median, options, percentile, report } from "./report.ts";

/**
 * How much the engine itself costs: steps that do nothing, each with its whole durable journal (AttemptRouted, AttemptStarted,
 * AttemptAccepted, StepCompleted, queue entry, lease), on SQLite with synchronous=FULL. Measured against the limit of the same run: the
 * same number of events appended by a bare node:sqlite loop in transactions of 128, with nothing else.
 *
 * `steps_per_s` is the figure at width 200; `steps_per_s_w1` and `_w20` are the narrower ones.
 * `transitions_per_s`: events folded and decided on in memory, no store.
 * `bytes_per_queued`: heap that one more queued attempt takes in the driving process.
 */
const clock = { now: (): number => Date.now() };
const dirs: string[] = [];
const scratch = (): string => {
  const dir = mkdtempSync(join(tmpdir(), "stepfall-bench-"));
  dirs.push(dir);
  return dir;
};

const noop: Executor = {
  kind: "noop",
  needsWorkspace: false,
  preflight: () => Promise.resolve({ ok: true, detail: "" }),
  execute: () => Promise.resolve({ kind: "ended", summary: "" }),
};

const step = (path: string, needs: string[]): Step => ({
  kind: "agent",
  prompt: "",
  agent: { capability: [] },
  path,
  needs,
  readonly: true,
  outputs: { files: [] },
  gates: [],
  setup: [],
  retry: { attempts: 1, backoffMs: 0 },
  timeoutMs: 60_000,
  env: {},
  touches: [],
  priority: 0,
});

/** `width` chains side by side, `total` steps in all. */
function chains(width: number, total: number): Pipeline {
  const steps: Step[] = [];
  for (let i = 0; i < total; i++) steps.push(step(`s${i}`, i < width ? [] : [`s${i - width}`]));
  return { name: `chains-${width}`, steps };
}

const noBranches = {
  createRunBranch: () => Promise.resolve(),
  cleanRun: () => Promise.resolve(),
  tip: () => Promise.resolve("0".repeat(40)),
} as unknown as Workspaces;

async function engineWith(slots: number, agents = 1): Promise<{ deps: EngineDeps; close: () => Promise<void> }> {
  const home = scratch();
  const store = await openSqliteStore({ file: join(home, "stepfall.db"), clock });
  const registry = new Registry<AgentExecution>();
  for (let i = 0; i < agents; i++)
    registry.register({
      id: `noop${i}`,
      tier: "free",
      capabilities: [],
      takesPrompts: true,
      executorKind: "noop",
      account: "a",
      executor: { executor: noop, maxOutputTokens: 0 },
    });
  const deps: EngineDeps = {
    store,
    clock,
    home,
    node: "bench:1:1",
    registry,
    routing: () => ({ tiers: DEFAULT_TIERS, defaultAgent: "noop0" }),
    host: { endLeftovers: () => Promise.resolve([]) } as unknown as AgentHost,
    gateway: () => Promise.reject(new Error("no gateway in this benchmark")),
    slots,
    baseEnv: {},
    protected: [],
    setup: [],
    mask: (t) => t,
    isDead: () => false,
  };
  return { deps, close: () => store.close() };
}

let runs = 0;
async function stepsPerSecond(width: number, total: number): Promise<number> {
  const { deps, close } = await engineWith(width);
  using engine = createEngine(deps);
  const runId = `bench${++runs}`;
  await engine.start({
    runId,
    pipeline: chains(width, total),
    workspaces: noBranches,
    project: "/bench",
    base: "0".repeat(40),
    includeDirty: false,
    actor: "bench",
  });
  const started = performance.now();
  const end = await engine.drive(runId, { workspaces: noBranches });
  const seconds = (performance.now() - started) / 1000;
  if (end.kind !== "finished" || end.outcome !== "succeeded") throw new Error(`the run ended ${JSON.stringify(end)}`);
  const completed = (await deps.store.readAll({ types: ["StepCompleted"] })).length;
  if (completed !== total) throw new Error(`${completed} of ${total} steps are completed in the journal`);
  await close();
  return total / seconds;
}

/** The limit: as many events, appended by nothing but SQLite. */
function bareAppends(events: number): number {
  const db = new DatabaseSync(join(scratch(), "bare.db"));
  db.exec(
    "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE e(seq INTEGER PRIMARY KEY, stream TEXT, version INTEGER, type TEXT, at INTEGER, data TEXT)",
  );
  const insert = db.prepare("INSERT INTO e(stream, version, type, at, data) VALUES (?,?,?,?,?)");
  const data = JSON.stringify({ attempt: "bench1/s1000#1", step: "s1000", gates: [] });
  const started = performance.now();
  for (let i = 0; i < events; i += 128) {
    db.exec("BEGIN IMMEDIATE");
    for (let k = i; k < Math.min(events, i + 128); k++) insert.run("run:bench", k, "AttemptAccepted", Date.now(), data);
    db.exec("COMMIT");
  }
  const rate = events / ((performance.now() - started) / 1000);
  db.close();
  return rate;
}

function transitionsPerSecond(): number {
  const total = 20_000;
  const state = emptyRun();
  let version = 0;
  const take = (event: RunEvent): void => void apply(state, { event, at: 1, version: ++version });
  take({
    type: "RunStarted",
    data: { runId: "r", pipeline: chains(200, total), project: "", base: "", branch: "", agents: [], includeDirty: false },
  });
  const started = performance.now();
  while (state.status === "running") {
    for (const d of decide(state, 1)) {
      if (d.kind === "record") take(d.event);
      else if (d.kind === "route") {
        const of = { attempt: d.attempt, step: d.step };
        take({ type: "AttemptRouted", data: { ...of, n: d.n, tier: "free", candidates: ["a"], reasons: [] } });
        take({ type: "AttemptStarted", data: { ...of, agent: "a", node: "n", epoch: 1, queuedMs: 0 } });
        take({ type: "AttemptAccepted", data: { ...of, gates: [] } });
      }
    }
  }
  return version / ((performance.now() - started) / 1000);
}

async function reserveP99(): Promise<number> {
  const { deps, close } = await engineWith(1);
  const agents = Array.from({ length: 64 }, (_, i) => ({ id: `a${i}`, account: `acc${i % 8}` }));
  let n = 0;
  const enqueue = (count: number): Promise<unknown> =>
    deps.store.commit({
      enqueue: Array.from({ length: count }, () => {
        const i = n++;
        return {
          id: `r/s${i}#1`,
          runId: "r",
          agents: [0, 1, 2].map((k) => agents[(i * 7 + k * 13) % 64]?.id ?? "a0"),
          priority: i % 3,
          rank: i % 5,
          affinity: i % 4 === 0 ? `f${i % 16}` : undefined,
          enqueuedAt: i,
        };
      }),
    });
  await enqueue(1000);
  const times: number[] = [];
  for (let i = 0; i < 2000; i++) {
    const started = performance.now();
    const got = await deps.store.reserve({ node: "n", agents, accountSlots: {}, limit: 1, now: Date.now(), leaseMs: 60_000 });
    times.push(performance.now() - started);
    await deps.store.commit({ settle: got.map((g) => g.lease) });
    await enqueue(got.length);
  }
  await close();
  return percentile(times.slice(100), 99);
}

async function bytesPerQueued(): Promise<number> {
  const collect = (globalThis as { gc?: () => void }).gc;
  const measure = async (total: number): Promise<number> => {
    const { deps, close } = await engineWith(0);
    const queued = Promise.withResolvers<void>();
    let routed = 0;
    deps.onFeed = (item) => {
      if (item.kind === "event" && item.event.type === "AttemptRouted" && ++routed === total) queued.resolve();
    };
    using engine = createEngine(deps);
    const runId = `bytes${total}`;
    await engine.start({
      runId,
      pipeline: chains(total, total),
      workspaces: noBranches,
      project: "/bench",
      base: "0".repeat(40),
      includeDirty: false,
      actor: "bench",
    });
    const drain = new AbortController();
    const driving = engine.drive(runId, { workspaces: noBranches, drain: drain.signal });
    await queued.promise;
    collect?.();
    const heap = process.memoryUsage().heapUsed;
    drain.abort();
    await driving;
    await close();
    return heap;
  };
  await measure(100);
  const small = await measure(1000);
  const large = await measure(21_000);
  return (large - small) / 20_000;
}

function helpMs(): { ms: number; node: number } {
  const launcher = fileURLToPath(new URL("../bin/stepfall.js", import.meta.url));
  const time = (args: string[]): number => {
    const times: number[] = [];
    for (let i = 0; i < 12; i++) {
      const started = performance.now();
      const done = spawnSync(process.execPath, args, { stdio: "ignore" });
      if (done.status !== 0) throw new Error(`${args.join(" ")} exits ${done.status}`);
      times.push(performance.now() - started);
    }
    return median(times.slice(2));
  };
  return { ms: time([launcher, "--help"]), node: time(["-e", "0"]) };
}

try {
  const quiet = options().json;
  const say = (text: string): void => void (quiet || process.stderr.write(`${text}\n`));
  say("warming up");
  await stepsPerSecond(200, 4000);
  say("measuring (about a minute)");
  const w1 = median([await stepsPerSecond(1, 1000), await stepsPerSecond(1, 1000), await stepsPerSecond(1, 1000)]);
  const w20 = median([await stepsPerSecond(20, 6000), await stepsPerSecond(20, 6000), await stepsPerSecond(20, 6000)]);
  const w200 = median([await stepsPerSecond(200, 20_000), await stepsPerSecond(200, 20_000), await stepsPerSecond(200, 20_000)]);
  const bare = median([bareAppends(80_000), bareAppends(80_000), bareAppends(80_000)]);
  const help = helpMs();
  report(
    "engine",
    {
      steps_per_s: Math.round(w200),
      steps_per_s_w1: Math.round(w1),
      steps_per_s_w20: Math.round(w20),
      transitions_per_s: Math.round(transitionsPerSecond()),
      reserve_p99_ms: await reserveP99(),
      help_ms: help.ms,
      bytes_per_queued: Math.round(await bytesPerQueued()),
      bare_appends_per_s: Math.round(bare),
      /** Share of the bare append rate that the engine's four events a step reach. */
      share_of_bare_appends: (w200 * 4) / bare,
      help_over_bare_node: help.ms / help.node,
    },
    { steps_per_s: ">= 10000", reserve_p99_ms: "< 5", help_ms: "< 150" },
    ["Limit in the same run: bare_appends_per_s, a node:sqlite loop of the same events in transactions of 128."],
  );
} finally {
  for (const dir of dirs) rmSync(dir, { recursive: true, force: true });
}
