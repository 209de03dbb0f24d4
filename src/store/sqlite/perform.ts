import type { DatabaseSync } from "node:sqlite";
import type { Committed } from "../index.ts";
import { openInbox } from "./inbox.ts";
import { openJournal, type Journal } from "./journal.ts";
import { openLanes } from "./lanes.ts";
import { openLeases } from "./leases.ts";
import { openOutcomes } from "./outcomes.ts";
import { openProjections } from "./projections.ts";
import { openQueue } from "./queue.ts";
import { reserve } from "./reserve.ts";
import { openTimers } from "./timers.ts";
import type { Answers, PackedCommit, Read, Write } from "./wire.ts";

export interface Performer {
  journal: Journal;
  /** Inside a transaction. Throws a StoreError (nothing of it may stay then) or whatever SQLite throws. */
  write(write: Write): Answers[Write["kind"]];
  read(read: Read): Answers[Read["kind"]];
}

/** What each request does, on one connection. */
export function openPerformer(db: DatabaseSync): Performer {
  const journal = openJournal(db);
  const lanes = openLanes(db);
  const queue = openQueue(db, lanes);
  const leases = openLeases(db, queue);
  const timers = openTimers(db);
  const inbox = openInbox(db);
  const outcomes = openOutcomes(db);
  const projections = openProjections(db, inbox, outcomes);

  const commit = (c: PackedCommit): Committed => {
    for (const lease of c.fence) leases.check(lease);
    for (const lease of c.settle) leases.check(lease);
    const over = [...c.settle.map((lease) => lease.key), ...c.withdraw];
    leases.end(over);
    queue.change({ remove: over, add: c.enqueue });
    const versions: Record<string, number> = {};
    let globalSeq: number | undefined;
    for (const append of c.appends) {
      const appended = journal.append(append);
      versions[append.stream] = appended.version;
      globalSeq = appended.globalSeq;
    }
    for (const id of c.clearTimers) timers.clear(id);
    for (const timer of c.setTimers) timers.set(timer);
    for (const projection of c.projections) projections.write(projection);
    return { versions, globalSeq: globalSeq ?? journal.lastSeq() };
  };

  return {
    journal,
    write(write) {
      switch (write.kind) {
        case "commit":
          return commit(write.commit);
        case "reserve":
          return reserve(write.request, lanes, queue, leases);
        case "extend":
          return leases.extend(write.leases, write.until);
        case "acquire":
          return leases.acquire(write.request);
        case "release":
          leases.release(write.lease);
          return null;
        default:
          return write satisfies never;
      }
    },
    read(read) {
      switch (read.kind) {
        case "read":
          return journal.read(read.stream, read.after, read.limit);
        case "readAll":
          return journal.readAll(read.after, read.limit, read.types);
        case "leases":
          return leases.startingWith(read.prefix);
        case "queueStats":
          return queue.stats(read.runId, read.now, read.gone);
        case "dueTimers":
          return timers.due(read.now, read.limit);
        case "runs":
          return projections.runs(read.project, read.runId, read.limit);
        case "calls":
          return projections.calls(read.runId, read.attempt);
        case "outcomes":
          return outcomes.list(read);
        case "spent":
          return projections.spent(read.since, read.project);
        case "listInbox":
          return inbox.list(read.runId);
        case "offset":
          return projections.offset(read.key);
        default:
          return read satisfies never;
      }
    },
  };
}
