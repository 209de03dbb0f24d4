/**
 * Times are epoch ms. No STRICT tables: INTEGER affinity keeps a fractional number as it is instead of refusing it.
 *
 * Queue: an entry belongs to the lane of its run, its set of candidate agents and its affinity key. A lane knows its
 * best ready entry (`head` and the columns it is ordered by), so `reserve` looks at one row per candidate set instead
 * of at every entry. `ready` is 0 while a lease keeps the entry from being taken.
 */
export const first = `
CREATE TABLE meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO meta VALUES ('epoch', 0);

CREATE TABLE streams (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, version INTEGER NOT NULL);
CREATE TABLE events (
  global_seq INTEGER PRIMARY KEY,
  stream INTEGER NOT NULL,
  version INTEGER NOT NULL,
  type TEXT NOT NULL,
  schema_version INTEGER NOT NULL,
  at INTEGER NOT NULL,
  actor TEXT NOT NULL,
  cause TEXT,
  data TEXT NOT NULL
);
CREATE UNIQUE INDEX events_by_stream ON events (stream, version);

CREATE TABLE candidate_sets (id INTEGER PRIMARY KEY AUTOINCREMENT, agents TEXT NOT NULL UNIQUE);
CREATE TABLE lanes (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  run_id TEXT NOT NULL,
  affinity TEXT NOT NULL,
  set_id INTEGER NOT NULL REFERENCES candidate_sets (id),
  preferred TEXT,
  head INTEGER,
  priority REAL,
  rank REAL,
  at INTEGER,
  UNIQUE (run_id, affinity, set_id)
);
CREATE INDEX lanes_of_set ON lanes (set_id);
CREATE INDEX heads_by_set ON lanes (set_id, priority DESC, rank DESC, at, head) WHERE head IS NOT NULL;
CREATE INDEX heads_by_run ON lanes (run_id, set_id, priority DESC, rank DESC, at, head) WHERE head IS NOT NULL;
CREATE INDEX heads_in_order ON lanes (priority DESC, rank DESC, at, head, run_id) WHERE head IS NOT NULL;
CREATE INDEX heads_by_preferred ON lanes (preferred, priority DESC, rank DESC, at, head)
  WHERE head IS NOT NULL AND preferred IS NOT NULL;
CREATE INDEX heads_by_run_preferred ON lanes (run_id, preferred, priority DESC, rank DESC, at, head)
  WHERE head IS NOT NULL AND preferred IS NOT NULL;

CREATE TABLE queue (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  lane INTEGER NOT NULL REFERENCES lanes (id),
  run_id TEXT NOT NULL,
  agents TEXT NOT NULL,
  priority REAL NOT NULL,
  rank REAL NOT NULL,
  affinity TEXT,
  enqueued_at INTEGER NOT NULL,
  ready INTEGER NOT NULL
);
CREATE INDEX queue_by_lane ON queue (lane, ready, priority DESC, rank DESC, enqueued_at, seq);
CREATE INDEX queue_by_run ON queue (run_id, ready, enqueued_at);

-- Which agent last did a step of this key.
CREATE TABLE affinity (
  run_id TEXT NOT NULL, key TEXT NOT NULL, agent TEXT NOT NULL, PRIMARY KEY (run_id, key)
) WITHOUT ROWID;

-- 'guards' is 1 while the lease keeps a queue entry from being taken; reserve turns it off when the lease runs out.
CREATE TABLE leases (
  key TEXT PRIMARY KEY,
  epoch INTEGER NOT NULL,
  holder TEXT NOT NULL,
  until INTEGER NOT NULL,
  agent TEXT,
  account TEXT,
  run_id TEXT,
  guards INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX leases_running_out ON leases (until) WHERE guards = 1;
CREATE INDEX leases_by_account ON leases (account, until) WHERE account IS NOT NULL;

CREATE TABLE timers (id TEXT PRIMARY KEY, run_id TEXT NOT NULL, at INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX timers_by_time ON timers (at, id);

CREATE TABLE runs (
  run_id TEXT PRIMARY KEY,
  project TEXT NOT NULL,
  pipeline TEXT NOT NULL,
  branch TEXT NOT NULL,
  base TEXT NOT NULL,
  status TEXT NOT NULL,
  steps_total INTEGER NOT NULL,
  steps_done INTEGER NOT NULL,
  started_at INTEGER NOT NULL,
  ended_at INTEGER
) WITHOUT ROWID;
CREATE INDEX runs_by_project ON runs (project, started_at);
CREATE INDEX runs_by_start ON runs (started_at);

CREATE TABLE calls (
  call_id TEXT PRIMARY KEY,
  run_id TEXT NOT NULL,
  attempt TEXT NOT NULL,
  agent TEXT NOT NULL,
  provider TEXT NOT NULL,
  model TEXT NOT NULL,
  tier TEXT NOT NULL,
  at INTEGER NOT NULL,
  duration_ms REAL NOT NULL,
  input_tokens INTEGER NOT NULL,
  cached_input_tokens INTEGER NOT NULL,
  output_tokens INTEGER NOT NULL,
  micro_usd INTEGER NOT NULL,
  provenance TEXT NOT NULL,
  outcome TEXT NOT NULL,
  reserved_micro_usd INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX calls_by_run ON calls (run_id, at);
CREATE INDEX calls_by_attempt ON calls (attempt, at);

CREATE TABLE offsets (key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
`;
