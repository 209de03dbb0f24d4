import { join } from "node:path";
import type { Usage } from "../domain/index.ts";
import { importSpool, sumCalls } from "../models/index.ts";
import type { RunRow, Store } from "../store/index.ts";
import { isDead } from "../setup/identity.ts";

/** What is going on in the project, and what was spent there: counted when it is asked for. */
export interface Stats {
  /** Runs by how they stand; `open` ones are going on, or could be resumed. */
  runs: { total: number; open: number; succeeded: number; failed: number; cancelled: number };
  /** Attempts of the project's open runs. */
  attempts: {
    running: number;
    /** Routed, and waiting for a slot. */
    queued: number;
    /** How long the oldest of them has been waiting. */
    oldestWaitMs?: number;
  };
  /** Most attempts at a time on this machine. Absent before the first run. */
  slots?: number;
  /** Every metered call of the project's runs. */
  spent: Usage;
  /** Things that wait for people. */
  inbox: number;
}

const MOST_RUNS = 100_000;

export async function statsOf(from: {
  store: Store;
  home: string;
  project: string;
  now: number;
  slots: number | undefined;
}): Promise<Stats> {
  const { store, home, project, now, slots } = from;
  // What an engine that died had spent.
  await importSpool({ spoolPath: join(home, "gateway", "spool.ndjson"), store });
  const rows = await store.runs({ project, limit: MOST_RUNS });
  const count = (status: RunRow["status"]): number => rows.filter((row) => row.status === status).length;
  const [succeeded, failed, cancelled] = [count("succeeded"), count("failed"), count("cancelled")];
  const open = rows.filter((row) => !["succeeded", "failed", "cancelled"].includes(row.status));
  const gone = [...new Set((await store.leases("")).map((lease) => lease.holder))].filter(isDead);
  const queues = await Promise.all(open.map((row) => store.queueStats(row.runId, { gone })));
  const oldest = Math.min(...queues.map((q) => q.oldestQueuedAt ?? Number.POSITIVE_INFINITY));
  const runIds = new Set(rows.map((row) => row.runId));
  return {
    runs: { total: rows.length, open: open.length, succeeded, failed, cancelled },
    attempts: {
      running: queues.reduce((sum, q) => sum + q.leased, 0),
      queued: queues.reduce((sum, q) => sum + q.queued, 0),
      ...(Number.isFinite(oldest) ? { oldestWaitMs: Math.max(0, now - oldest) } : {}),
    },
    ...(slots === undefined ? {} : { slots }),
    spent: sumCalls((await store.calls()).filter((call) => runIds.has(call.runId))),
    inbox: (await store.listInbox()).filter((row) => runIds.has(row.runId)).length,
  };
}
