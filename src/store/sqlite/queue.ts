import type { DatabaseSync } from "node:sqlite";
import type { QueueEntry, QueueStats } from "../index.ts";
import type { Lanes } from "./lanes.ts";

const asEntry = ({ id, runId, agents, priority, rank, affinity, enqueuedAt }: Record<string, unknown>): QueueEntry => {
  const entry = { id, runId, agents: JSON.parse(agents as string), priority, rank, enqueuedAt };
  return (affinity === null ? entry : { ...entry, affinity }) as QueueEntry;
};

/** Entries that wait for an agent or are being worked on. Which lease holds one is the business of leases.ts. */
export function openQueue(db: DatabaseSync, lanes: Lanes) {
  const exists = db.prepare("SELECT 1 FROM queue WHERE id = ?");
  const insert = db.prepare(
    `INSERT INTO queue (id, lane, run_id, agents, priority, rank, affinity, enqueued_at, ready)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, 1)`,
  );
  const inLane = db.prepare(
    `SELECT seq, id, run_id AS runId, agents, priority, rank, affinity, enqueued_at AS enqueuedAt FROM queue
     WHERE lane = ? AND ready = 1 ORDER BY priority DESC, rank DESC, enqueued_at, seq LIMIT ?`,
  );
  const holdSeq = db.prepare("UPDATE queue SET ready = 0 WHERE seq = ?");
  const setReady = db.prepare("UPDATE queue SET ready = ? WHERE id = ? AND ready <> ? RETURNING lane");
  const runOf = db.prepare("SELECT run_id AS runId FROM queue WHERE id = ?");
  const remove = db.prepare("DELETE FROM queue WHERE id = ? RETURNING lane");
  const count = (condition: string) =>
    db.prepare(
      `SELECT (SELECT count(*) FROM queue ${condition && `WHERE ${condition}`}) AS entries,
         (SELECT min(enqueued_at) FROM queue WHERE ready = 1 ${condition && `AND ${condition}`}) AS oldestReady`,
    );
  const countAll = count("");
  const countRun = count("run_id = ?");
  const leased = (condition: string) =>
    db.prepare(
      `SELECT count(*) FILTER (WHERE isLive) AS live, min(at) FILTER (WHERE NOT isLive) AS oldestLost FROM (
         SELECT q.enqueued_at AS at, l.until > ? AND l.holder NOT IN (SELECT value FROM json_each(?)) AS isLive
         FROM leases l JOIN queue q ON q.id = l.key WHERE l.guards = 1 ${condition})`,
    );
  const leasedAll = leased("");
  const leasedRun = leased("AND q.run_id = ?");

  const changeReadiness = (id: string, ready: 0 | 1): void => {
    const changed = setReady.get(ready, id, ready);
    if (changed) lanes.refresh(changed["lane"] as number);
  };

  return {
    /**
     * Removes entries, then adds others; one whose id is queued already stays as it is. Each lane is looked at once, and one that is
     * emptied and filled again in the same change stays.
     */
    change(change: { remove: readonly string[]; add: readonly QueueEntry[] }): void {
      const left = new Set<number>();
      const touched = new Set<number>();
      for (const id of change.remove) {
        const removed = remove.get(id);
        if (removed) left.add(removed["lane"] as number);
      }
      for (const e of change.add) {
        if (exists.get(e.id)) continue;
        const lane = lanes.laneFor(e.runId, e.affinity ?? "", e.agents);
        insert.run(e.id, lane, e.runId, JSON.stringify(e.agents), e.priority, e.rank, e.affinity ?? null, e.enqueuedAt);
        touched.add(lane);
      }
      for (const lane of new Set([...touched, ...left])) lanes.refresh(lane);
      for (const lane of left) if (!touched.has(lane)) lanes.prune(lane);
    },

    /** The best ready entries of a lane, at most `limit`, best first, each with its `seq`. */
    readyInLane: (lane: number, limit: number): { seq: number; entry: QueueEntry }[] =>
      inLane.all(lane, limit).map((row) => ({ seq: Number(row["seq"]), entry: asEntry(row) })),

    /** Nobody may take these now; all are of one lane. */
    holdAll(lane: number, seqs: readonly number[]): void {
      for (const seq of seqs) holdSeq.run(seq);
      lanes.refresh(lane);
    },

    /** The run whose entry this is; `undefined` when there is no such entry. */
    runOf: (id: string): string | undefined => runOf.get(id)?.["runId"] as string | undefined,

    /** Nobody may take it now. */
    hold: (id: string): void => changeReadiness(id, 0),
    /** Whoever may do it may take it. */
    free: (id: string): void => changeReadiness(id, 1),

    /** What `gone` holds is queued. */
    stats(runId: string | undefined, now: number, gone: readonly string[]): QueueStats {
      const entries = (runId === undefined ? countAll.get() : countRun.get(runId, runId)) ?? {};
      const held = (runId === undefined ? leasedAll.get(now, JSON.stringify(gone)) : leasedRun.get(now, JSON.stringify(gone), runId)) ?? {};
      const waiting = [entries["oldestReady"], held["oldestLost"]].filter((at) => typeof at === "number");
      const live = Number(held["live"]);
      const queued = Number(entries["entries"]) - live;
      return { queued, leased: live, ...(waiting.length > 0 && { oldestQueuedAt: Math.min(...waiting) }) };
    },
  };
}

export type Queue = ReturnType<typeof openQueue>;
