import { DatabaseSync } from "node:sqlite";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { QueueEntry, Reservation, ReserveRequest } from "../index.ts";
import { migrations } from "./migrations/all.ts";
import { openPerformer, type Performer } from "./perform.ts";
import type { PackedCommit } from "./wire.ts";

let db: DatabaseSync;
let performer: Performer;
beforeEach(() => fresh());
afterEach(() => db.close());

function fresh(): void {
  if (db?.isOpen) db.close();
  db = new DatabaseSync(":memory:");
  db.exec("PRAGMA foreign_keys = ON");
  for (const sql of migrations) db.exec(sql);
  performer = openPerformer(db);
}

const nothing: PackedCommit = {
  appends: [],
  fence: [],
  enqueue: [],
  settle: [],
  withdraw: [],
  setTimers: [],
  clearTimers: [],
  projections: [],
};
const commit = (more: Partial<PackedCommit>) => performer.write({ kind: "commit", commit: { ...nothing, ...more } });
const reserve = (request: ReserveRequest) => performer.write({ kind: "reserve", request }) as Reservation[];

const AGENTS = ["a", "b", "c", "d"];
const RUNS = ["r", "s", "t"];
const accountOf = (agent: string): string => (agent < "c" ? "x" : agent);

const entry = fc.record({
  runId: fc.constantFrom(...RUNS),
  agents: fc.shuffledSubarray(AGENTS, { minLength: 1 }),
  priority: fc.integer({ min: 0, max: 1 }),
  rank: fc.integer({ min: 0, max: 2 }),
  affinity: fc.constantFrom(undefined, "k", "l"),
  enqueuedAt: fc.integer({ min: 0, max: 2 }),
});
const asked = fc.record({
  agents: fc.shuffledSubarray(AGENTS, { minLength: 1 }),
  slots: fc.integer({ min: 0, max: 3 }),
  limit: fc.integer({ min: 1, max: 6 }),
  runs: fc.option(fc.subarray(RUNS, { minLength: 1 }), { nil: undefined }),
  settle: fc.boolean(),
});

/** The documented order, told as simply as it can be: sort everything, take the first, begin again. */
function expected(waiting: QueueEntry[], warm: Map<string, string>, request: ReserveRequest, inUse: number): [string, string][] {
  const taken: [string, string][] = [];
  let left = [...waiting];
  while (taken.length < request.limit) {
    const used = inUse + taken.filter(([, agent]) => accountOf(agent) === "x").length;
    const free = request.agents.filter(({ account }) => account !== "x" || used < request.accountSlots["x"]!).map(({ id }) => id);
    const preferred = (e: QueueEntry): string | undefined => {
      const agent = e.affinity === undefined ? undefined : warm.get(`${e.runId} ${e.affinity}`);
      return agent !== undefined && free.includes(agent) && e.agents.includes(agent) ? agent : undefined;
    };
    const [next] = left
      .filter((e) => e.agents.some((agent) => free.includes(agent)) && (request.runs?.includes(e.runId) ?? true))
      .toSorted(
        (a, b) =>
          b.priority - a.priority ||
          Number(preferred(b) !== undefined) - Number(preferred(a) !== undefined) ||
          b.rank - a.rank ||
          a.enqueuedAt - b.enqueuedAt,
      );
    if (!next) break;
    const agent = preferred(next) ?? next.agents.find((id) => free.includes(id))!;
    if (next.affinity !== undefined) warm.set(`${next.runId} ${next.affinity}`, agent);
    left = left.filter((e) => e !== next);
    taken.push([next.id, agent]);
  }
  return taken;
}

/** Makes the queue so varied in candidates that reserve walks along the heads; nobody asks for these. */
function addManySets(): void {
  const agents = Array.from({ length: 9 }, (_, i) => `nobody${i}`);
  const sets = Array.from({ length: 300 }, (_, i) => agents.filter((_, bit) => ((i + 1) >> bit) & 1));
  commit({ enqueue: sets.map((set, i) => ({ id: `other/${i}#1`, runId: "other", agents: set, priority: i % 2, rank: 1, enqueuedAt: 0 })) });
}

test.each([
  ["looking at each candidate set", () => {}, 300],
  ["walking along the heads", addManySets, 60],
])("%s chooses what sorting the whole queue would choose", (_, prepare, numRuns) => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.array(entry, { maxLength: 8 }), asked), { minLength: 1, maxLength: 8 }), (rounds) => {
      fresh();
      prepare();
      let waiting: QueueEntry[] = [];
      const warm = new Map<string, string>();
      let inUse = 0;
      rounds.forEach(([entries, { agents, slots, limit, runs, settle }], round) => {
        const added = entries.map((e, i) => ({ ...e, id: `${e.runId}/${round}.${i}#1` }));
        commit({ enqueue: added });
        waiting.push(...added);
        const request: ReserveRequest = {
          node: "n",
          agents: agents.map((id) => ({ id, account: accountOf(id) })),
          accountSlots: { x: slots },
          limit,
          now: 1_000,
          leaseMs: 1_000,
          ...(runs && { runs }),
        };
        const want = expected(waiting, warm, request, inUse);
        const got = reserve(request);
        expect(got.map(({ entry: { id }, agent }) => [id, agent])).toEqual(want);
        waiting = waiting.filter(({ id }) => !want.some(([taken]) => taken === id));
        if (settle) commit({ settle: got.map(({ lease }) => lease) });
        else inUse += got.filter(({ account }) => account === "x").length;
      });
    }),
    { numRuns },
  );
});

test("when everything is settled the queue leaves no lane and no candidate set behind", () => {
  const entries = Array.from({ length: 30 }, (_, i) => ({
    id: `r/${i}#1`,
    runId: "r",
    agents: AGENTS.slice(i % 4),
    priority: 0,
    rank: 0,
    affinity: `k${i % 3}`,
    enqueuedAt: 0,
  }));
  commit({ enqueue: entries });
  const request = { node: "n", agents: AGENTS.map((id) => ({ id, account: id })), accountSlots: {}, limit: 20, now: 0, leaseMs: 9 };
  commit({ settle: reserve(request).map(({ lease }) => lease) });
  commit({ withdraw: entries.map(({ id }) => id) });
  for (const table of ["queue", "leases", "lanes", "candidate_sets"]) {
    expect([table, db.prepare(`SELECT count(*) AS n FROM ${table}`).get()]).toEqual([table, { n: 0 }]);
  }
});

test("a node whose clock is behind does not get what has run out only for others", () => {
  commit({ enqueue: [{ id: "r/1#1", runId: "r", agents: ["a"], priority: 0, rank: 0, enqueuedAt: 0 }] });
  const ask = (agent: string, now: number) =>
    reserve({ node: "n", agents: [{ id: agent, account: agent }], accountSlots: {}, limit: 1, now, leaseMs: 1_000 });
  const [first] = ask("a", 1_000);
  // For this one the lease has run out, but it may not do the step.
  expect(ask("b", 5_000)).toEqual([]);
  expect(ask("a", 1_500)).toEqual([]);
  expect(ask("a", 5_000)[0]!.lease.epoch).toBeGreaterThan(first!.lease.epoch);
});
