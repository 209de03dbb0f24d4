import { ulid } from "ulid";
import { fold, runStream, type MicroUsd, type Pipeline } from "../../domain/index.ts";
import type { DriveEnd, Engine } from "../../engine/index.ts";
import { outcomesOf } from "../../models/index.ts";
import type { WorkloadTask } from "../../planning/index.ts";
import { taughtRow } from "../../setup/learnt.ts";
import type { Store } from "../../store/index.ts";
import type { Workspaces } from "../../workspace/index.ts";
import type { Cell } from "./cells.ts";
import type { EndedCell, ResultsFile } from "./results-file.ts";

export interface Bench {
  engine: Engine;
  store: Store;
  workspaces: Workspaces;
  results: ResultsFile;
  /** Name of the workload. */
  name: string;
  /** False: routing learns nothing of it. */
  teaches: boolean;
  /** The scratch project's folder. */
  project: string;
  tasks: ReadonlyMap<string, WorkloadTask>;
  bases: ReadonlyMap<string, string>;
  /** Tiers by agent, and whether a gateway meters it. */
  agents: ReadonlyMap<string, { tier: string; isMetered: boolean }>;
  actor: string;
  /** Runs at a time. */
  slots: number;
  drain: AbortSignal;
  stop: AbortSignal;
  now: () => number;
  /** Keeps what a run needs when it is resumed. */
  onStart: (runId: string) => void;
  onEnd: (ended: EndedCell) => void;
}

export interface BenchEnd {
  /** Set when a budget ended it. */
  budget?: { limit: MicroUsd; spent: MicroUsd };
  /** Cells that have no result. */
  left: number;
}

/**
 * Does what is to be done, several at a time. Every cell is a run like any other, at the base of its task, with one step that one agent may try once.
 * After a budget's end, or the first Ctrl-C, nothing new is begun.
 */
export async function runCells(cells: readonly Cell[], bench: Bench): Promise<BenchEnd> {
  const open = cells.values();
  let budget: BenchEnd["budget"];
  let left = cells.length;
  const failed = new AbortController();
  const next = async (): Promise<void> => {
    for (const cell of open) {
      if (bench.drain.aborted || budget || failed.signal.aborted) return;
      const end = await runCell(cell, bench);
      if (end === "ended") left -= 1;
      else if (end.kind === "budget") budget ??= { limit: end.limit, spent: end.spent };
    }
  };
  // One that cannot go on at all lets the others end what they are at.
  const ends = await Promise.allSettled(
    Array.from({ length: Math.min(bench.slots, cells.length) }, () =>
      next().catch((error: unknown) => {
        failed.abort();
        throw error;
      }),
    ),
  );
  for (const end of ends) if (end.status === "rejected") throw end.reason;
  return { left, ...(budget ? { budget } : {}) };
}

async function runCell(cell: Cell, bench: Bench): Promise<"ended" | DriveEnd> {
  const { engine, store, workspaces, results, drain, stop } = bench;
  const runId = await begin(cell, bench);
  const end = await engine.drive(runId, { workspaces, drain, stop });
  if (end.kind === "stopped" || end.kind === "taken-over") return end;
  if (end.kind === "budget" || end.kind === "people") {
    // It would wait for an answer that nobody gives: the cell is done anew when there is money for it.
    await cancel(store, runId, bench);
    await engine.drive(runId, { workspaces });
  }
  const ended = await endedCell(cell, runId, bench);
  if (end.kind === "budget") return end;
  results.end(ended);
  bench.onEnd(ended);
  return "ended";
}

/** The cell's run: the one that was begun for it and is not over, or a new one. */
async function begin(cell: Cell, bench: Bench): Promise<string> {
  const { engine, store, workspaces, results, name } = bench;
  const before = results.begun(cell);
  const begun = before === undefined ? [] : await store.read(runStream(before));
  // Cancelled is one that a budget ended, or a person: it has no result.
  const isOurs = before !== undefined && (begun.length === 0 || fold(begun).outcome !== "cancelled");
  const runId = isOurs ? before : ulid(bench.now()).toLowerCase();
  if (!isOurs) results.start(cell, runId, bench.now());
  if (isOurs && begun.length > 0) return runId;
  const task = bench.tasks.get(cell.task);
  const base = bench.bases.get(cell.task);
  if (!task || base === undefined) throw new TypeError(`task ${cell.task} is not part of the workload`);
  bench.onStart(runId);
  await engine.start({
    runId,
    pipeline: pipelineOf(name, task, cell.agent),
    workspaces,
    project: bench.project,
    base,
    includeDirty: false,
    actor: bench.actor,
    ...(bench.teaches ? { workload: { name, task: task.id, complexity: task.complexity } } : {}),
  });
  return runId;
}

export const pipelineOf = (name: string, { id, step }: WorkloadTask, agent: string): Pipeline => ({
  name: `${name}-${id}`,
  steps: [{ ...step, agent: { id: agent, capability: [] } }],
});

async function cancel(store: Store, runId: string, { actor, now }: Bench): Promise<void> {
  const stream = runStream(runId);
  const { version, status } = fold(await store.read(stream));
  if (status === "finished") return;
  const event = { type: "CancelRequested" as const, data: { reason: "the benchmark could not go on with it" } };
  await store.commit({ appends: [{ stream, expected: version, events: [{ event, at: now(), actor }] }] });
}

/** What the journal says became of it: attempts that were interrupted cost what they cost, the last one tells. */
async function endedCell(cell: Cell, runId: string, { store, tasks, agents, now }: Bench): Promise<EndedCell> {
  const events = await store.read(runStream(runId));
  const rows = outcomesOf(events);
  const last = rows.at(-1);
  const attempts = [...fold(events).steps.values()].flatMap((s) => s.attempts);
  const agent = agents.get(cell.agent);
  const isKnown = agent?.isMetered === true || (attempts.length > 0 && attempts.every((a) => a.usage !== undefined));
  const taught = last ? taughtRow(last)[0] : undefined;
  return {
    kind: "ended",
    ...cell,
    runId,
    type: tasks.get(cell.task)?.step.type ?? "other",
    tier: agent?.tier ?? "",
    verdict: last === undefined || last.verdict === "open" ? "none" : last.verdict,
    ...(last?.failure === undefined ? {} : { failure: last.failure }),
    ...(taught ? { accepted: taught.accepted } : {}),
    refusedBy: [...new Set(attempts.at(-1)?.findings?.map((f) => f.gate))],
    ...(isKnown ? { microUsd: rows.reduce((sum, r) => sum + r.microUsd, 0) } : {}),
    ms: last?.ms ?? 0,
    at: now(),
  };
}
