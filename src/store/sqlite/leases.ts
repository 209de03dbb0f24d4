import type { DatabaseSync } from "node:sqlite";
import type { Acquired, HeldLease, LeaseRef } from "../index.ts";
import { storeError } from "./failure.ts";
import type { Queue } from "./queue.ts";
import type { AcquireRequest } from "./wire.ts";

interface LeaseRow {
  key: string;
  epoch: number;
  holder: string;
  until: number;
  agent: string | null;
  runId: string | null;
  machine: string | null;
}

interface Grant {
  holder: string;
  until: number;
  agent: string;
  account: string;
  machine: string | undefined;
  runId: string;
}

/** Above every string that starts with what it is put behind. */
const LAST = "\u{10FFFF}";

const asHeld = ({ key, epoch, holder, until, agent, runId, machine }: LeaseRow): HeldLease => ({
  key,
  epoch,
  holder,
  until,
  ...(agent !== null && { agent }),
  ...(runId !== null && { runId }),
  ...(machine !== null && { machine }),
});

/**
 * Leases. One is held as long as its row stands at its epoch, also after `until`: then it may be taken by another, and
 * an `extend` before that makes it whole again (a laptop that slept keeps its agents). Every lease of the store gets
 * its epoch from one counter, so no key ever sees an epoch twice and no row must be kept to remember it.
 */
export function openLeases(db: DatabaseSync, queue: Queue) {
  const COLUMNS = "key, epoch, holder, until, agent, run_id AS runId, machine";
  const count = db.prepare("UPDATE meta SET value = value + 1 WHERE key = 'epoch' RETURNING value");
  const countMany = db.prepare("UPDATE meta SET value = value + ? WHERE key = 'epoch' RETURNING value");
  const find = db.prepare(`SELECT ${COLUMNS} FROM leases WHERE key = ?`);
  const grant = db.prepare(
    `INSERT INTO leases (key, epoch, holder, until, agent, account, run_id, guards, machine) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (key) DO UPDATE SET epoch = excluded.epoch, holder = excluded.holder, until = excluded.until, agent = excluded.agent,
       account = excluded.account, run_id = excluded.run_id, guards = excluded.guards, machine = excluded.machine`,
  );
  const takeOver = db.prepare("UPDATE leases SET epoch = ?, holder = ?, until = ?, guards = ? WHERE key = ?");
  const move = db.prepare("UPDATE leases SET until = ?, guards = ? WHERE key = ? AND epoch = ?");
  const setGuards = db.prepare("UPDATE leases SET guards = ? WHERE key = ?");
  const remove = db.prepare("DELETE FROM leases WHERE key = ?");
  const startingWith = db.prepare(`SELECT ${COLUMNS} FROM leases WHERE key >= ? AND key < ? ORDER BY key`);
  const runningOut = db.prepare("SELECT key FROM leases WHERE guards = 1 AND until <= ?");
  const liveOf = db.prepare("SELECT count(*) AS live FROM leases WHERE account = ? AND until > ?");
  const liveOn = db.prepare("SELECT count(*) AS live FROM leases WHERE machine = ? AND until > ? AND holder IS NOT ?");

  const get = (key: string): LeaseRow | undefined => find.get(key) as LeaseRow | undefined;
  const nextEpoch = (): number => Number(count.get()?.["value"]);
  const isHeld = (lease: LeaseRef): boolean => get(lease.key)?.epoch === lease.epoch;

  /** A lease on an attempt keeps its queue entry from being taken; 0 when the key is not an attempt's. */
  const guard = (key: string): { guards: 0 | 1; runId: string | null } => {
    const runId = queue.runOf(key);
    if (runId === undefined) return { guards: 0, runId: null };
    queue.hold(key);
    return { guards: 1, runId };
  };

  return {
    /** Throws STORE_STALE_LEASE unless the lease is held at its epoch. */
    check(lease: LeaseRef): void {
      const now = get(lease.key);
      if (now?.epoch === lease.epoch) return;
      const instead = now ? `${now.holder} holds it at epoch ${now.epoch}` : "nobody holds it";
      throw storeError("STORE_STALE_LEASE", `The lease ${lease.key} of epoch ${lease.epoch} is over: ${instead}`);
    },

    /** Ends leases: the entries they were held for are the caller's to remove. */
    end(keys: readonly string[]): void {
      for (const key of keys) remove.run(key);
    },

    release(lease: LeaseRef): void {
      if (!isHeld(lease)) return;
      remove.run(lease.key);
      queue.free(lease.key);
    },

    extend(leases: readonly LeaseRef[], until: number): { lost: LeaseRef[] } {
      const lost: LeaseRef[] = [];
      for (const lease of leases) {
        if (isHeld(lease)) move.run(until, guard(lease.key).guards, lease.key, lease.epoch);
        else lost.push({ key: lease.key, epoch: lease.epoch });
      }
      return { lost };
    },

    acquire({ key, holder, until, now, breakEpoch }: AcquireRequest): Acquired {
      const held = get(key);
      if (held && held.until > now && held.holder !== holder && held.epoch !== breakEpoch) {
        return { ok: false, heldBy: asHeld(held) };
      }
      const { guards, runId } = guard(key);
      const epoch = nextEpoch();
      // A taken-over attempt goes on using its agent's account, and the machine it runs on.
      if (held) takeOver.run(epoch, holder, until, guards, key);
      else grant.run(key, epoch, holder, until, null, null, runId, guards, null);
      return { ok: true, lease: { key, epoch }, until };
    },

    /** Leases entries of the queue, which the caller holds there, to an agent. */
    grantAll(keys: readonly string[], to: Grant): LeaseRef[] {
      let epoch = Number(countMany.get(keys.length)?.["value"]) - keys.length;
      return keys.map((key) => {
        epoch += 1;
        grant.run(key, epoch, to.holder, to.until, to.agent, to.account, to.runId, 1, to.machine ?? null);
        return { key, epoch };
      });
    },

    /** Makes entries takeable again whose lease ran out. The old lease stays held until somebody takes one. */
    freeExpired(now: number): void {
      for (const row of runningOut.all(now)) {
        const key = String(row["key"]);
        setGuards.run(0, key);
        queue.free(key);
      }
    },

    /** Undoes `freeExpired` for one entry when its lease turns out to be live; false when it is not. */
    holdIfLive(key: string, now: number): boolean {
      const held = get(key);
      if (!held || held.until <= now) return false;
      setGuards.run(guard(key).guards, key);
      return true;
    },

    liveOf: (account: string, now: number): number => Number(liveOf.get(account, now)?.["live"]),
    /** Living leases of a machine, but for those of `except`. */
    liveOn: (machine: string, now: number, except: string | undefined): number =>
      Number(liveOn.get(machine, now, except ?? null)?.["live"]),

    startingWith: (prefix: string): HeldLease[] => (startingWith.all(prefix, prefix + LAST) as unknown as LeaseRow[]).map(asHeld),
  };
}

export type Leases = ReturnType<typeof openLeases>;
