import { parseEvent, schemaVersionOf, type Recorded } from "../../domain/index.ts";
import type { Append, Commit } from "../index.ts";
import { storeError } from "./failure.ts";
import type { Column, EventRow, PackedAppend, PackedCommit } from "./wire.ts";

const packAppend = ({ stream, expected, events }: Append): PackedAppend => {
  const columns: Column[] = [];
  for (const { event, at, actor, cause } of events) {
    columns.push(event.type, schemaVersionOf(event.type), at, actor, cause ?? null, JSON.stringify(event.data));
  }
  return { stream, expected, events: columns };
};

/** A commit as the worker takes it: event data is made JSON here, once, and stored as it is. */
export const packCommit = (commit: Commit): PackedCommit => ({
  appends: (commit.appends ?? []).map(packAppend),
  fence: commit.fence ?? [],
  enqueue: commit.enqueue ?? [],
  settle: commit.settle ?? [],
  withdraw: commit.withdraw ?? [],
  setTimers: commit.timers?.set ?? [],
  clearTimers: commit.timers?.clear ?? [],
  projections: commit.projections ?? [],
});

/** Roughly how many characters the commit is, to keep transactions at a reasonable size. */
export function sizeOf(commit: PackedCommit): number {
  let size = 0;
  for (const { events } of commit.appends) {
    for (const column of events) size += typeof column === "string" ? column.length : 8;
  }
  return size;
}

/** Throws STORE_NEWER or STORE_CORRUPT when the row is nothing this version could have written. */
export function unpackEvent(row: EventRow, file: string): Recorded {
  const [globalSeq, stream, version, schemaVersion, at, actor, cause, type, data] = row;
  const where = `${file}: event ${version} of ${stream}`;
  const newest = schemaVersionOf(type as Parameters<typeof schemaVersionOf>[0]);
  if (schemaVersion > newest) {
    throw storeError("STORE_NEWER", `${where} is a ${type} of schema version ${schemaVersion}; this Stepfall knows ${newest}`);
  }
  try {
    const event = parseEvent(type, schemaVersion, JSON.parse(data));
    return { globalSeq, stream, version, schemaVersion, at, actor, ...(cause !== null && { cause }), event };
  } catch (error) {
    // What parseEvent answers to a type it does not know.
    if (error instanceof TypeError) throw storeError("STORE_NEWER", `${where}: ${error.message}`, error);
    throw storeError("STORE_CORRUPT", `${where} is not a valid ${type}`, error);
  }
}
