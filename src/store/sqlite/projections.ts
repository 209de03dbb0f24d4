import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import type { CallRow, ProjectionWrite, RunRow } from "../index.ts";
import type { Inbox } from "./inbox.ts";
import type { Outcomes } from "./outcomes.ts";
import { plain } from "./plain.ts";

const RUN = `run_id AS runId, project, pipeline, branch, base, status, steps_total AS stepsTotal,
  steps_done AS stepsDone, started_at AS startedAt, ended_at AS endedAt,
  waited_for_people_ms AS waitedForPeopleMs, waits_for_people_since AS waitsForPeopleSince`;
const CALL = `call_id AS callId, run_id AS runId, attempt, agent, provider, model, tier, at, duration_ms AS durationMs,
  input_tokens AS inputTokens, cached_input_tokens AS cachedInputTokens, output_tokens AS outputTokens,
  micro_usd AS microUsd, provenance, outcome, reserved_micro_usd AS reservedMicroUsd,
  credentials, cache_write_tokens AS cacheWriteTokens`;

const isOver = (status: RunRow["status"]): boolean => status === "succeeded" || status === "failed" || status === "cancelled";

/** Read models: what lists and bills are made of. */
export function openProjections(db: DatabaseSync, inbox: Inbox, outcomes: Outcomes) {
  const putRun = db.prepare(
    `INSERT INTO runs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (run_id) DO UPDATE SET
       project = excluded.project, pipeline = excluded.pipeline, branch = excluded.branch, base = excluded.base,
       status = excluded.status, steps_total = excluded.steps_total, steps_done = excluded.steps_done,
       started_at = excluded.started_at, ended_at = excluded.ended_at,
       waited_for_people_ms = excluded.waited_for_people_ms, waits_for_people_since = excluded.waits_for_people_since`,
  );
  const putCall = db.prepare(
    `INSERT INTO calls VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (call_id) DO NOTHING`,
  );
  const putOffset = db.prepare("INSERT INTO offsets VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value");
  const getOffset = db.prepare("SELECT value FROM offsets WHERE key = ?");
  const sumSince = db.prepare("SELECT SUM(micro_usd) AS sum FROM calls WHERE at >= ?");
  const sumOfProject = db.prepare("SELECT SUM(micro_usd) AS sum FROM calls JOIN runs USING (run_id) WHERE at >= ? AND project = ?");
  const forgetAffinity = db.prepare("DELETE FROM affinity WHERE run_id = ?");

  const where = (conditions: Readonly<Record<string, string | undefined>>): { sql: string; values: SQLInputValue[] } => {
    const given = Object.entries(conditions).filter((entry): entry is [string, string] => entry[1] !== undefined);
    const sql = given.length === 0 ? "" : `WHERE ${given.map(([column]) => `${column} = ?`).join(" AND ")}`;
    return { sql, values: given.map(([, value]) => value) };
  };

  return {
    write(projection: ProjectionWrite): void {
      switch (projection.kind) {
        case "run": {
          const r = projection.row;
          putRun.run(
            r.runId,
            r.project,
            r.pipeline,
            r.branch,
            r.base,
            r.status,
            r.stepsTotal,
            r.stepsDone,
            r.startedAt,
            r.endedAt ?? null,
            r.waitedForPeopleMs ?? null,
            r.waitsForPeopleSince ?? null,
          );
          // A run that is over asks for no agent any more.
          if (isOver(r.status)) forgetAffinity.run(r.runId);
          return;
        }
        case "calls":
          for (const c of projection.rows) {
            putCall.run(
              c.callId,
              c.runId,
              c.attempt,
              c.agent,
              c.provider,
              c.model,
              c.tier,
              c.at,
              c.durationMs,
              c.inputTokens,
              c.cachedInputTokens,
              c.outputTokens,
              c.microUsd,
              c.provenance,
              c.outcome,
              c.reservedMicroUsd,
              c.credentials ?? null,
              c.cacheWriteTokens ?? null,
            );
          }
          return;
        case "inbox":
          inbox.write(projection);
          return;
        case "outcomes":
          outcomes.write(projection.rows);
          return;
        case "offset":
          putOffset.run(projection.key, projection.value);
          return;
        default:
          projection satisfies never;
      }
    },

    /** Newest first. */
    runs(project: string | undefined, runId: string | undefined, limit: number): RunRow[] {
      const { sql, values } = where({ project, run_id: runId });
      const query = db.prepare(`SELECT ${RUN} FROM runs ${sql} ORDER BY started_at DESC, run_id DESC LIMIT ?`);
      return query.all(...values, limit).map((row) => plain(row) as RunRow);
    },

    /** Oldest first. */
    calls(runId: string | undefined, attempt: string | undefined): CallRow[] {
      const { sql, values } = where({ run_id: runId, attempt });
      const query = db.prepare(`SELECT ${CALL} FROM calls ${sql} ORDER BY at, call_id`);
      return query.all(...values).map((row) => plain(row) as CallRow);
    },

    spent(since: number, project: string | undefined): number {
      const row = project === undefined ? sumSince.get(since) : sumOfProject.get(since, project);
      return Number(row?.["sum"] ?? 0);
    },

    offset: (key: string): number => Number(getOffset.get(key)?.["value"] ?? 0),
  };
}

export type Projections = ReturnType<typeof openProjections>;
