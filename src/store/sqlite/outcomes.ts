import type { DatabaseSync } from "node:sqlite";
import type { OutcomeRow } from "../index.ts";
import { plain } from "./plain.ts";

const asRow = (row: object): OutcomeRow => {
  const { body, ...columns } = plain(row) as { body: string };
  return { ...columns, ...(JSON.parse(body) as object) } as OutcomeRow;
};

/** What became of attempts. */
export function openOutcomes(db: DatabaseSync) {
  const put = db.prepare("INSERT OR REPLACE INTO outcomes VALUES (?, ?, ?, ?, ?)");
  const columns = "attempt, run_id AS runId, project, at, body";
  const ofRun = db.prepare(`SELECT ${columns} FROM outcomes WHERE run_id = ? ORDER BY at, attempt`);
  const ofProject = db.prepare(`SELECT ${columns} FROM outcomes WHERE project = ? AND at >= ? ORDER BY at, attempt`);
  const all = db.prepare(`SELECT ${columns} FROM outcomes WHERE at >= ? ORDER BY at, attempt`);
  return {
    write(rows: readonly OutcomeRow[]): void {
      for (const { attempt, runId, project, at, ...body } of rows) put.run(attempt, runId, project, at, JSON.stringify(body));
    },

    /** Oldest first. */
    list({
      runId,
      project,
      since = 0,
    }: {
      runId?: string | undefined;
      project?: string | undefined;
      since?: number | undefined;
    }): OutcomeRow[] {
      const rows = runId !== undefined ? ofRun.all(runId) : project !== undefined ? ofProject.all(project, since) : all.all(since);
      return rows.map(asRow);
    },
  };
}

export type Outcomes = ReturnType<typeof openOutcomes>;
