import type { Reservation, ReserveRequest } from "../index.ts";
import type { Head, Lanes } from "./lanes.ts";
import type { Leases } from "./leases.ts";
import type { Queue } from "./queue.ts";

/** Beyond so many different candidate sets it is quicker to walk along the heads than to ask for each set's best. */
const MANY_SETS = 200;

/**
 * Takes the best entries the free agents may do. A lane's head is the only entry of it that can be next, and lanes with
 * one candidate set differ only in order, so the next entry is among: the best head per candidate set, and the best
 * head that prefers a free agent, per agent. After each taking only what it changed is looked up again.
 */
export function reserve(request: ReserveRequest, lanes: Lanes, queue: Queue, leases: Leases): Reservation[] {
  const { now, runs, machine } = request;
  leases.freeExpired(now);
  const limit = machine ? Math.min(request.limit, roomOn(machine, request, leases)) : request.limit;
  if (limit <= 0) return [];
  const free = freeAgents(request, leases);
  const accounts = new Map(request.agents.map((agent) => [agent.id, agent.account]));
  const mayStart = (agents: ReadonlySet<string>): boolean => [...free.accountOf.keys()].some((id) => agents.has(id));
  const isWarm = (head: Head): boolean => head.preferred !== null && free.accountOf.has(head.preferred);
  const strangers = headsBySet(lanes, mayStart, runs);
  const friends = headsByAgent(lanes, free.accountOf, runs);

  const besideIt = (head: Head): Head[] => [lanes.besideHead(head)].filter((other) => other !== undefined);

  const taken: Reservation[] = [];
  while (taken.length < limit) {
    const heads = [...strangers.heads(), ...friends.heads()];
    const head = best(heads, isWarm);
    if (!head) break;
    // A lane without affinity changes nothing in other lanes, so as much of it is taken at once as comes before every other head.
    const takesMany = head.affinity === "" && strangers.knowsEverySet;
    const next = takesMany ? best([...heads.filter((other) => other.lane !== head.lane), ...besideIt(head)], isWarm) : undefined;
    const run = queue.readyInLane(head.lane, takesMany ? limit - taken.length : 1);
    let agent: string | undefined;
    const held: number[] = [];
    const started: (typeof run)[number]["entry"][] = [];
    for (const { seq, entry } of run) {
      if (seq !== head.entry && next && compare({ ...head, ...entry, at: entry.enqueuedAt, entry: seq, affinity: "" }, next, isWarm) > 0)
        break;
      const wanted = isWarm(head) ? head.preferred! : entry.agents.find((id) => free.accountOf.has(id));
      if (wanted === undefined || (agent !== undefined && wanted !== agent)) break;
      // Live only when the clocks of two machines differ: what has run out for the other has not for this one.
      if (leases.holdIfLive(entry.id, now)) continue;
      agent = wanted;
      held.push(seq);
      started.push(entry);
      free.use(free.accountOf.get(agent)!);
    }
    if (agent !== undefined) {
      const account = accounts.get(agent)!;
      const until = now + request.leaseMs;
      queue.holdAll(head.lane, held);
      const leased = leases.grantAll(
        started.map((entry) => entry.id),
        { holder: request.node, until, agent, account, machine: machine?.id, runId: head.runId },
      );
      lanes.remember(head.runId, head.affinity, agent);
      for (const [i, entry] of started.entries()) taken.push({ entry, agent, account, lease: leased[i]!, until });
    }
    // The lane has another head now, and the key's other lanes may prefer another agent.
    const isTouched = (other: Head): boolean =>
      other.lane === head.lane || (head.affinity !== "" && other.affinity === head.affinity && other.runId === head.runId);
    strangers.lookAgain(isTouched, head.runId);
    friends.lookAgain(isTouched, head.runId, head.affinity === "" ? undefined : agent);
  }
  return taken;
}

function roomOn({ id, slots, busy }: NonNullable<ReserveRequest["machine"]>, { node, now }: ReserveRequest, leases: Leases): number {
  return slots - (busy ?? 0) - leases.liveOn(id, now, busy === undefined ? undefined : node);
}

const keyOf = (id: number | string, runId: string | undefined): string => (runId === undefined ? `${id}` : `${id} ${runId}`);

/** The best head of each candidate set that can be started (per run, when only some runs are asked for). */
function headsBySet(lanes: Lanes, mayStart: (agents: ReadonlySet<string>) => boolean, runs: readonly string[] | undefined) {
  const sets = lanes.sets(MANY_SETS);
  if (!sets) {
    const first = (): Head[] => [lanes.firstInOrder(mayStart, runs)].filter((head) => head !== undefined);
    let heads = first();
    return { knowsEverySet: false, heads: () => heads, lookAgain: () => void (heads = first()) };
  }
  const agentsOf = new Map(sets.map((set) => [set.id, set.agents]));
  const canStart = (setId: number): boolean => mayStart(agentsOf.get(setId)!);
  const heads = new Map<string, Head>();
  const look = (ids: readonly number[], of = runs): void => {
    for (const head of lanes.bestOfSets(ids.filter(canStart), of)) heads.set(keyOf(head.setId, runs && head.runId), head);
  };
  look([...agentsOf.keys()]);
  return {
    knowsEverySet: true,
    heads: () => heads.values(),
    lookAgain(isTouched: (head: Head) => boolean, runId: string): void {
      const touched = [...heads.values()].filter(isTouched);
      for (const [key, head] of heads) if (isTouched(head) || !canStart(head.setId)) heads.delete(key);
      look(
        touched.map(({ setId }) => setId),
        runs && [runId],
      );
    },
  };
}

/** The best head that prefers it, for each free agent (per run, when only some runs are asked for). */
function headsByAgent(lanes: Lanes, free: ReadonlyMap<string, string>, runs: readonly string[] | undefined) {
  const heads = new Map<string, Head>();
  const look = (ids: readonly string[], of = runs): void => {
    const askable = ids.filter((id) => free.has(id));
    for (const head of lanes.bestOfAgents(askable, of)) heads.set(keyOf(head.preferred!, runs && head.runId), head);
  };
  look([...free.keys()]);
  return {
    heads: () => heads.values(),
    /** `newcomer` is preferred now where it was not before. */
    lookAgain(isTouched: (head: Head) => boolean, runId: string, newcomer: string | undefined): void {
      const touched = [...heads.values()].filter(isTouched).map(({ preferred }) => preferred!);
      for (const [key, head] of heads) if (isTouched(head) || !free.has(head.preferred!)) heads.delete(key);
      look(newcomer === undefined ? touched : [...touched, newcomer], runs && [runId]);
    },
  };
}

/** The agents whose account has a slot left. */
function freeAgents({ agents, accountSlots, now }: ReserveRequest, leases: Leases) {
  const accountOf = new Map(agents.map((agent) => [agent.id, agent.account]));
  const slotsLeft = new Map<string, number>();
  for (const account of new Set(accountOf.values())) {
    if (Object.hasOwn(accountSlots, account)) slotsLeft.set(account, accountSlots[account]! - leases.liveOf(account, now));
  }
  const leaveOut = (): void => {
    for (const [agent, account] of accountOf) if ((slotsLeft.get(account) ?? 1) <= 0) accountOf.delete(agent);
  };
  leaveOut();
  return {
    /** Account by agent id. */
    accountOf: accountOf as ReadonlyMap<string, string>,
    /** Takes a slot; an account without one left takes its agents away. */
    use(account: string): void {
      const left = slotsLeft.get(account);
      if (left === undefined) return;
      slotsLeft.set(account, left - 1);
      leaveOut();
    },
  };
}

/** Priority first, then affinity, rank, age, and the order of arrival among equals. */
function best(heads: readonly Head[], isWarm: (head: Head) => boolean): Head | undefined {
  let winner: Head | undefined;
  for (const head of heads) if (!winner || compare(head, winner, isWarm) < 0) winner = head;
  return winner;
}

const compare = (a: Head, b: Head, isWarm: (head: Head) => boolean): number =>
  b.priority - a.priority || Number(isWarm(b)) - Number(isWarm(a)) || b.rank - a.rank || a.at - b.at || a.entry - b.entry;
