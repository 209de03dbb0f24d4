import type { DatabaseSync } from "node:sqlite";
import type { InboxRow, ProjectionWrite } from "../index.ts";
import { plain } from "./plain.ts";

const ROW = `item, run_id AS runId, step, kind, title, detail, choices, who, opened_at AS openedAt, expires_at AS expiresAt, attempt`;

const asRow = (row: object): InboxRow => {
  const { choices, who, ...rest } = plain(row) as { choices: string; who: string };
  return { ...rest, choices: JSON.parse(choices), who: JSON.parse(who) } as InboxRow;
};

/** What waits for people. */
export function openInbox(db: DatabaseSync) {
  const put = db.prepare(
    `INSERT OR REPLACE INTO inbox (item, run_id, step, kind, title, detail, choices, who, opened_at, expires_at, attempt)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const remove = db.prepare("DELETE FROM inbox WHERE item = ?");
  const all = db.prepare(`SELECT ${ROW} FROM inbox ORDER BY opened_at, item`);
  const ofRun = db.prepare(`SELECT ${ROW} FROM inbox WHERE run_id = ? ORDER BY opened_at, item`);
  return {
    write(change: Extract<ProjectionWrite, { kind: "inbox" }>): void {
      for (const item of change.remove ?? []) remove.run(item);
      for (const r of change.put ?? []) {
        const lists = [JSON.stringify(r.choices), JSON.stringify(r.who)] as const;
        put.run(r.item, r.runId, r.step, r.kind, r.title, r.detail ?? null, ...lists, r.openedAt, r.expiresAt ?? null, r.attempt ?? null);
      }
    },

    /** Oldest first. */
    list: (runId: string | undefined): InboxRow[] => (runId === undefined ? all.all() : ofRun.all(runId)).map(asRow),
  };
}

export type Inbox = ReturnType<typeof openInbox>;
