/** What waits for people. `choices` and `who` are JSON lists of strings. */
export const inbox = `
CREATE TABLE inbox (
  item TEXT PRIMARY KEY,
  run_id TEXT NOT NULL,
  step TEXT NOT NULL,
  kind TEXT NOT NULL,
  title TEXT NOT NULL,
  detail TEXT,
  choices TEXT NOT NULL,
  who TEXT NOT NULL,
  opened_at INTEGER NOT NULL,
  expires_at INTEGER,
  attempt TEXT
) WITHOUT ROWID;
CREATE INDEX inbox_by_run ON inbox (run_id, opened_at);
`;
