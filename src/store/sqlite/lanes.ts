import type { DatabaseSync } from "node:sqlite";

/** A lane's best ready entry. */
export interface Head {
  lane: number;
  runId: string;
  setId: number;
  /** "" = none. */
  affinity: string;
  /** The agent that last did a step of this run and affinity key, when it is a candidate here. */
  preferred: string | null;
  /** `seq` of the queue entry. */
  entry: number;
  priority: number;
  rank: number;
  at: number;
}

export interface CandidateSet {
  id: number;
  agents: ReadonlySet<string>;
}

const HEAD = `l.id AS lane, l.run_id AS runId, l.set_id AS setId, l.affinity, l.preferred, l.head AS entry, l.priority,
  l.rank, l.at`;
const BEST_FIRST = "priority DESC, rank DESC, at, head";

/** Lanes: queue entries that any agent sees alike, each lane with its best ready entry at hand. See 0001-first.ts. */
export function openLanes(db: DatabaseSync) {
  const findSet = db.prepare("SELECT id FROM candidate_sets WHERE agents = ?");
  const addSet = db.prepare("INSERT INTO candidate_sets (agents) VALUES (?)");
  const someSets = db.prepare("SELECT id, agents FROM candidate_sets LIMIT ?");
  const findLane = db.prepare("SELECT id FROM lanes WHERE run_id = ? AND affinity = ? AND set_id = ?");
  const addLane = db.prepare("INSERT INTO lanes (run_id, affinity, set_id, preferred) VALUES (?, ?, ?, ?)");
  const setHead = db.prepare(
    `UPDATE lanes SET (head, priority, rank, at) =
       (SELECT seq, priority, rank, enqueued_at FROM queue WHERE lane = ? AND ready = 1
        ORDER BY priority DESC, rank DESC, enqueued_at, seq LIMIT 1)
     WHERE id = ?`,
  );
  const dropLane = db.prepare(
    "DELETE FROM lanes WHERE id = ? AND NOT EXISTS (SELECT 1 FROM queue WHERE lane = ?) RETURNING set_id AS setId",
  );
  const dropSet = db.prepare("DELETE FROM candidate_sets WHERE id = ? AND NOT EXISTS (SELECT 1 FROM lanes WHERE set_id = ?)");
  const lastAgent = db.prepare("SELECT agent FROM affinity WHERE run_id = ? AND key = ?");
  const setLastAgent = db.prepare("INSERT INTO affinity VALUES (?, ?, ?) ON CONFLICT (run_id, key) DO UPDATE SET agent = excluded.agent");
  const lanesOfKey = db.prepare(
    `SELECT l.id, s.agents FROM lanes l JOIN candidate_sets s ON s.id = l.set_id WHERE l.run_id = ? AND l.affinity = ?`,
  );
  const setPreferred = db.prepare("UPDATE lanes SET preferred = ? WHERE id = ?");

  const best = (from: string, condition: string) =>
    db.prepare(
      `SELECT ${HEAD} FROM ${from} JOIN lanes l ON l.id =
         (SELECT id FROM lanes WHERE ${condition} AND head IS NOT NULL ORDER BY ${BEST_FIRST} LIMIT 1)`,
    );
  const bestOfSets = best("json_each(?) s", "set_id = s.value");
  const bestOfRunsAndSets = best("json_each(?) r, json_each(?) s", "run_id = r.value AND set_id = s.value");
  const bestOfAgents = best("json_each(?) a", "preferred IS NOT NULL AND preferred = a.value");
  const bestOfRunsAndAgents = best("json_each(?) r, json_each(?) a", "run_id = r.value AND preferred IS NOT NULL AND preferred = a.value");

  const beside = db.prepare(
    `SELECT ${HEAD} FROM lanes l WHERE l.set_id = ? AND l.head IS NOT NULL AND l.id <> ? ORDER BY ${BEST_FIRST} LIMIT 1`,
  );

  const inOrder = (condition: string) =>
    db.prepare(
      `SELECT ${HEAD}, s.agents FROM lanes l INDEXED BY heads_in_order CROSS JOIN candidate_sets s ON s.id = l.set_id
       WHERE l.head IS NOT NULL ${condition} ORDER BY l.priority DESC, l.rank DESC, l.at, l.head`,
    );
  const allInOrder = inOrder("");
  const runsInOrder = inOrder("AND l.run_id IN (SELECT value FROM json_each(?))");

  /** By the text a set is stored as: ids may be given anew after a rollback, the text means the same for ever. */
  const parsed = new Map<string, ReadonlySet<string>>();
  const parse = (agents: string): ReadonlySet<string> => {
    let set = parsed.get(agents);
    if (!set) {
      if (parsed.size >= 10_000) parsed.clear();
      set = new Set(JSON.parse(agents) as string[]);
      parsed.set(agents, set);
    }
    return set;
  };

  const preferredOf = (runId: string, affinity: string): string | undefined =>
    affinity === "" ? undefined : (lastAgent.get(runId, affinity)?.["agent"] as string | undefined);

  return {
    /** The lane for such an entry, made when there is none. */
    laneFor(runId: string, affinity: string, agents: readonly string[]): number {
      const text = JSON.stringify([...new Set(agents)].sort());
      const setId = Number(findSet.get(text)?.["id"] ?? addSet.run(text).lastInsertRowid);
      const found = findLane.get(runId, affinity, setId);
      if (found) return Number(found["id"]);
      const preferred = preferredOf(runId, affinity);
      const usable = preferred !== undefined && parse(text).has(preferred) ? preferred : null;
      return Number(addLane.run(runId, affinity, setId, usable).lastInsertRowid);
    },

    /** To be called whenever an entry of the lane came, went, or changed its readiness. */
    refresh: (lane: number): void => void setHead.run(lane, lane),

    /** Removes the lane and its candidate set when nothing needs them any more. */
    prune(lane: number): void {
      const dropped = dropLane.get(lane, lane);
      const setId = dropped?.["setId"] as number | undefined;
      if (setId !== undefined) dropSet.run(setId, setId);
    },

    /** All candidate sets, or `undefined` when there are more than `most`. */
    sets(most: number): CandidateSet[] | undefined {
      const rows = someSets.all(most + 1);
      if (rows.length > most) return undefined;
      return rows.map((row) => ({ id: Number(row["id"]), agents: parse(String(row["agents"])) }));
    },

    /** The best ready entry whose candidates suit, found by walking along all heads. */
    firstInOrder(suits: (agents: ReadonlySet<string>) => boolean, runs?: readonly string[]): Head | undefined {
      const rows = runs ? runsInOrder.iterate(JSON.stringify(runs)) : allInOrder.iterate();
      for (const row of rows) if (suits(parse(String(row["agents"])))) return row as unknown as Head;
      return undefined;
    },

    /** The best ready entry of each set, or of each run and set. */
    bestOfSets(ids: readonly number[], runs?: readonly string[]): Head[] {
      const sets = JSON.stringify(ids);
      const rows = runs ? bestOfRunsAndSets.all(JSON.stringify(runs), sets) : bestOfSets.all(sets);
      return rows as unknown as Head[];
    },

    /** The best ready entry of the same candidate set in another lane, whatever its run. */
    besideHead: (head: Head): Head | undefined => beside.get(head.setId, head.lane) as unknown as Head | undefined,

    /** The best ready entry among those that prefer an agent, for each agent, or for each run and agent. */
    bestOfAgents(ids: readonly string[], runs?: readonly string[]): Head[] {
      const agents = JSON.stringify(ids);
      const rows = runs ? bestOfRunsAndAgents.all(JSON.stringify(runs), agents) : bestOfAgents.all(agents);
      return rows as unknown as Head[];
    },

    /** `agent` did a step of this key: the key's other entries prefer it from now on. */
    remember(runId: string, affinity: string, agent: string): void {
      if (affinity === "" || preferredOf(runId, affinity) === agent) return;
      setLastAgent.run(runId, affinity, agent);
      for (const lane of lanesOfKey.all(runId, affinity)) {
        setPreferred.run(parse(String(lane["agents"])).has(agent) ? agent : null, lane["id"] as number);
      }
    },
  };
}

export type Lanes = ReturnType<typeof openLanes>;
