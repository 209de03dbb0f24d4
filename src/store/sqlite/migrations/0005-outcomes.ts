/** What became of attempts, for routing. `body` is JSON: all of the row but the columns. */
export const outcomes = `
CREATE TABLE outcomes (
  attempt TEXT PRIMARY KEY,
  run_id TEXT NOT NULL,
  project TEXT NOT NULL,
  at INTEGER NOT NULL,
  body TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX outcomes_by_run ON outcomes (run_id);
CREATE INDEX outcomes_by_project ON outcomes (project, at);
`;
