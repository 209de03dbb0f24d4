import { resolve } from "node:path";
import type { Clock, Recorded } from "../../domain/index.ts";
import type { Store } from "../index.ts";
import { ALL, openFollowers } from "./follow.ts";
import { packCommit, sizeOf, unpackEvent } from "./pack.ts";
import { startThread } from "./thread.ts";
import type { EventRow } from "./wire.ts";

export interface SqliteStoreOptions {
  /** Made (0600) when it does not exist, with its folder (0700). On a local disk: WAL does not work over a network. */
  file: string;
  clock: Clock;
  /** How long a write waits for another process that is writing before it is STORE_BUSY. Default 5000. */
  busyTimeoutMs?: number | undefined;
  /** How often commits of other processes are looked for while somebody follows. Default 100. */
  pollMs?: number | undefined;
}

/** Events a worker request reads at most: a long stream neither holds up the writers nor comes as one lump. */
const PAGE = 1_000;
const ENDLESS = Number.MAX_SAFE_INTEGER;

/**
 * The embedded store: one SQLite file that several processes may have open. Rejects with STORE_NEWER, STORE_CORRUPT,
 * STORE_FULL, STORE_BUSY or STORE_FAILED.
 */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<Store> {
  const { clock, busyTimeoutMs = 5_000, pollMs = 100 } = options;
  const file = resolve(options.file);
  const thread = await startThread({ file, busyTimeoutMs, pollMs });
  const unpack = (rows: readonly EventRow[]): Recorded[] => rows.map((row) => unpackEvent(row, file));
  const readPage = async (stream: string, after: number, limit = PAGE): Promise<Recorded[]> =>
    unpack(await thread.ask({ kind: "read", stream, after, limit: Math.min(limit, PAGE) }));
  const readAllPage = async (after: number): Promise<Recorded[]> =>
    unpack((await thread.ask({ kind: "readAll", after, limit: PAGE, types: undefined })).rows);
  const followers = openFollowers(
    (stream, after) => (stream === ALL ? readAllPage(after) : readPage(stream, after)),
    (on) => thread.watch(on),
  );
  thread.listen({ appended: (streams) => followers.wake(streams, "others"), failed: followers.fail });

  return {
    async commit(commit) {
      const packed = packCommit(commit);
      const committed = await thread.ask({ kind: "commit", commit: packed }, sizeOf(packed));
      followers.wake(Object.keys(committed.versions), "us");
      return committed;
    },

    async read(stream, { after = 0, limit = ENDLESS } = {}) {
      const events: Recorded[] = [];
      while (events.length < limit) {
        const page = await readPage(stream, events.at(-1)?.version ?? after, limit - events.length);
        events.push(...page);
        if (page.length < PAGE) break;
      }
      return events;
    },

    async readAll({ after = 0, limit = ENDLESS, types } = {}) {
      const events: Recorded[] = [];
      for (let scanned = after, end = false; !end && events.length < limit;) {
        const page = { after: scanned, limit: Math.min(limit - events.length, PAGE), types };
        const found = await thread.ask({ kind: "readAll", ...page });
        events.push(...unpack(found.rows));
        ({ scanned, end } = found);
      }
      return events;
    },

    follow: (stream, from) => followers.follow(stream, from),
    followAll: (from) => followers.follow(ALL, from),

    reserve: (request) => thread.ask({ kind: "reserve", request }),
    extend: (leases, until) => thread.ask({ kind: "extend", leases, until }),
    acquire: (request) => thread.ask({ kind: "acquire", request }),
    async release(lease) {
      await thread.ask({ kind: "release", lease });
    },
    leases: (prefix) => thread.ask({ kind: "leases", prefix }),
    queueStats: (runId, { gone = [] } = {}) => thread.ask({ kind: "queueStats", runId, now: clock.now(), gone }),
    dueTimers: (now, limit) => thread.ask({ kind: "dueTimers", now, limit }),

    runs: ({ project, runId, limit = ENDLESS } = {}) => thread.ask({ kind: "runs", project, runId, limit }),
    calls: ({ runId, attempt } = {}) => thread.ask({ kind: "calls", runId, attempt }),
    outcomes: ({ runId, project, since } = {}) => thread.ask({ kind: "outcomes", runId, project, since }),
    spent: ({ since, project }) => thread.ask({ kind: "spent", since, project }),
    listInbox: ({ runId } = {}) => thread.ask({ kind: "listInbox", runId }),
    offset: (key) => thread.ask({ kind: "offset", key }),

    close: () => thread.close(),
  };
}
