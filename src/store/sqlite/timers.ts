import type { DatabaseSync } from "node:sqlite";
import type { Timer } from "../index.ts";

export function openTimers(db: DatabaseSync) {
  const put = db.prepare("INSERT INTO timers VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET run_id = excluded.run_id, at = excluded.at");
  const remove = db.prepare("DELETE FROM timers WHERE id = ?");
  const due = db.prepare("SELECT id, run_id AS runId, at FROM timers WHERE at <= ? ORDER BY at, id LIMIT ?");
  return {
    set: (timer: Timer): void => void put.run(timer.id, timer.runId, timer.at),
    clear: (id: string): void => void remove.run(id),
    due: (now: number, limit: number): Timer[] => due.all(now, limit).map((row) => ({ ...row }) as unknown as Timer),
  };
}

export type Timers = ReturnType<typeof openTimers>;
