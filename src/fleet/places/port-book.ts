import { lstatSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { PlacesError } from "./errors.ts";
import type { PortRange } from "./port-range.ts";

/** A block of ports that somebody has. */
export interface PortLease {
  first: number;
  count: number;
  /** STEPFALL_HOME of whoever took it. */
  home: string;
  attempt: string;
  /** `agent`, or the purpose of a clean checkout. */
  purpose: string;
  /** Who took it last, see fleet/holder.ts. */
  holder: string;
  /** Epoch ms. */
  at: number;
}

const schema = `CREATE TABLE IF NOT EXISTS lease (
  home TEXT NOT NULL, attempt TEXT NOT NULL, purpose TEXT NOT NULL,
  first INTEGER NOT NULL, count INTEGER NOT NULL, holder TEXT NOT NULL, at INTEGER NOT NULL,
  PRIMARY KEY (home, attempt, purpose)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS cursor (one INTEGER PRIMARY KEY CHECK (one = 1), next INTEGER NOT NULL) STRICT;`;

/**
 * Who has which ports: one SQLite file for all engines of a user on a machine. Every change is one transaction, so a process that dies in
 * the middle of one leaves nothing of it. A lease outlives the process that took it, for the attempt may be taken up by another; whoever
 * ends the attempt gives it back.
 */
export class PortBook {
  readonly #db: DatabaseSync;
  readonly file: string;

  constructor(folder: string) {
    this.file = join(folder, "ports.db");
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      this.#db = new DatabaseSync(this.file, { timeout: 10_000 });
      // What a power failure could take is of no use after it: the processes are gone, too.
      this.#db.exec("PRAGMA synchronous = OFF");
      this.#db.exec(schema);
    } catch (cause) {
      throw new PlacesError(
        "PORTS_BOOK",
        `The list of ports in use, ${this.file}, cannot be opened: ${(cause as Error).message}`,
        "See that its folder can be written to, or move the file away: it is made anew.",
        { cause },
      );
    }
  }

  /**
   * A block of `count` ports that no other lease touches, or the one that this place has already, with its new holder. Blocks go round, so that one just given back
   * comes last. Blocks of holders that are gone are taken only when there is no other, the oldest first: their attempts
   * may be taken up again. `refused`: first ports of blocks that somebody outside uses. `undefined`: none is left.
   */
  take(
    place: Pick<PortLease, "home" | "attempt" | "purpose" | "holder" | "at">,
    {
      count,
      range,
      refused,
      isGone,
    }: { count: number; range: PortRange; refused: ReadonlySet<number>; isGone: (holder: string) => boolean },
  ): { first: number; isOld: boolean } | undefined {
    return this.#write(() => {
      const own = this.#db
        .prepare("SELECT first, count FROM lease WHERE home = ? AND attempt = ? AND purpose = ?")
        .get(place.home, place.attempt, place.purpose) as { first: number; count: number } | undefined;
      if (own && own.count === count && !refused.has(own.first)) {
        this.#insert(place, own.first, count);
        return { first: own.first, isOld: true };
      }
      const leases = this.list().filter((l) => !(l.home === place.home && l.attempt === place.attempt && l.purpose === place.purpose));
      const blocks = Math.floor((range.to - range.from + 1) / count);
      const next = (this.#db.prepare("SELECT next FROM cursor").get() as { next: number } | undefined)?.next ?? 0;
      const begin = Math.max(0, Math.ceil((next - range.from) / count)) % Math.max(1, blocks);
      const isFree = freeIn(leases);
      let first: number | undefined;
      for (let i = 0; i < blocks && first === undefined; i++) {
        const candidate = range.from + ((begin + i) % blocks) * count;
        if (!refused.has(candidate) && isFree(candidate, count)) first = candidate;
      }
      if (first === undefined) {
        const left = leases.filter((l) => l.count >= count && !refused.has(l.first) && isGone(l.holder)).toSorted((a, b) => a.at - b.at)[0];
        if (!left) return undefined;
        this.#delete(left);
        first = left.first;
      }
      this.#insert(place, first, count);
      this.#db.prepare("INSERT OR REPLACE INTO cursor (one, next) VALUES (1, ?)").run(first + count);
      return { first, isOld: false };
    });
  }

  /** Without a purpose: all of the attempt. */
  free(home: string, attempt: string, purpose?: string): void {
    this.#write(() => {
      if (purpose === undefined) this.#db.prepare("DELETE FROM lease WHERE home = ? AND attempt = ?").run(home, attempt);
      else this.#delete({ home, attempt, purpose });
    });
  }

  list(): PortLease[] {
    return this.#db
      .prepare("SELECT home, attempt, purpose, first, count, holder, at FROM lease ORDER BY first")
      .all() as unknown as PortLease[];
  }

  of(home: string, attempt: string): PortLease[] {
    return this.list().filter((l) => l.home === home && l.attempt === attempt);
  }

  close(): void {
    this.#db.close();
  }

  #insert(place: Pick<PortLease, "home" | "attempt" | "purpose" | "holder" | "at">, first: number, count: number): void {
    this.#db
      .prepare("INSERT OR REPLACE INTO lease (home, attempt, purpose, first, count, holder, at) VALUES (?, ?, ?, ?, ?, ?, ?)")
      .run(place.home, place.attempt, place.purpose, first, count, place.holder, place.at);
  }

  #delete({ home, attempt, purpose }: Pick<PortLease, "home" | "attempt" | "purpose">): void {
    this.#db.prepare("DELETE FROM lease WHERE home = ? AND attempt = ? AND purpose = ?").run(home, attempt, purpose);
  }

  #write<T>(work: () => T): T {
    try {
      this.#db.exec("BEGIN IMMEDIATE");
    } catch (cause) {
      throw new PlacesError(
        "PORTS_BOOK",
        `${this.file} is not free: ${(cause as Error).message}`,
        "Try again; another process is writing it.",
        {
          cause,
        },
      );
    }
    try {
      const answer = work();
      this.#db.exec("COMMIT");
      return answer;
    } catch (error) {
      this.#db.exec("ROLLBACK");
      throw error;
    }
  }
}

/** Leases do not overlap, and are sorted by their first port: the last that begins before a block's end is the only one that can touch it. */
function freeIn(leases: readonly PortLease[]): (first: number, count: number) => boolean {
  return (first, count) => {
    let low = 0;
    let high = leases.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((leases[middle] as PortLease).first < first + count) low = middle + 1;
      else high = middle;
    }
    const before = leases[low - 1];
    return before === undefined || before.first + before.count <= first;
  };
}

/**
 * One folder for all homes of a user on this machine, so that two of them do not give out the same ports; the home's own where that cannot
 * be had, because somebody else has made a thing of its name. The user's TMPDIR would not do: attempts have one each.
 */
export function machineFolder(home: string, uid: number, root = "/tmp"): string {
  const folder = join(root, `stepfall-${uid}`);
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch {
    // It is there, or cannot be made.
  }
  const found = lstatSync(folder, { throwIfNoEntry: false });
  return found?.isDirectory() && found.uid === uid && (found.mode & 0o022) === 0 ? folder : join(home, "ports");
}
