import type { DatabaseSync } from "node:sqlite";
import { storeError } from "./failure.ts";
import { EVENT_WIDTH, type EventRow, type PackedAppend } from "./wire.ts";

const COLUMNS = `e.global_seq, s.name, e.version, e.schema_version, e.at, e.actor, e.cause, e.type, e.data`;
const EVENTS = `SELECT ${COLUMNS} FROM events e JOIN streams s ON s.id = e.stream`;

/** How many events one `readAll` request looks at, so that a rare type does not keep the writers waiting. */
const SCAN = 10_000;

/** The events of all streams, numbered without a hole in the order of their commits. */
export function openJournal(db: DatabaseSync) {
  const findStream = db.prepare("SELECT id, version FROM streams WHERE name = ?");
  const addStream = db.prepare("INSERT INTO streams (name, version) VALUES (?, 0)");
  const setVersion = db.prepare("UPDATE streams SET version = ? WHERE id = ?");
  const insert = db.prepare(
    "INSERT INTO events (stream, version, type, schema_version, at, actor, cause, data) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
  );
  const last = db.prepare("SELECT max(global_seq) AS seq FROM events");
  const ofStream = db.prepare(
    `SELECT ${COLUMNS} FROM streams s JOIN events e ON e.stream = s.id
     WHERE s.name = ? AND e.version > ? ORDER BY e.version LIMIT ?`,
  );
  const ofAll = db.prepare(`${EVENTS} WHERE e.global_seq > ? AND e.global_seq <= ? ORDER BY e.global_seq LIMIT ?`);
  const ofTypes = db.prepare(
    `${EVENTS} WHERE e.global_seq > ? AND e.global_seq <= ? AND e.type IN (SELECT value FROM json_each(?))
     ORDER BY e.global_seq LIMIT ?`,
  );
  const streamsSince = db.prepare("SELECT name FROM streams WHERE id IN (SELECT stream FROM events WHERE global_seq > ?)");
  for (const statement of [ofStream, ofAll, ofTypes]) statement.setReturnArrays(true);

  const lastSeq = (): number => Number(last.get()?.["seq"] ?? 0);

  return {
    lastSeq,

    append({ stream, expected, events }: PackedAppend): { version: number; globalSeq: number } {
      const found = findStream.get(stream) as { id: number; version: number } | undefined;
      const version = found?.version ?? 0;
      if (version !== expected) {
        throw storeError("STORE_CONFLICT", `Stream ${stream} is at version ${version}, not ${expected}`);
      }
      if (events.length === 0) return { version, globalSeq: lastSeq() };
      const id = found?.id ?? Number(addStream.run(stream).lastInsertRowid);
      let next = version;
      let globalSeq = 0;
      for (let i = 0; i < events.length; i += EVENT_WIDTH) {
        const [type, schemaVersion, at, actor, cause, data] = events.slice(i, i + EVENT_WIDTH);
        const { lastInsertRowid } = insert.run(id, ++next, type!, schemaVersion!, at!, actor!, cause!, data!);
        globalSeq = Number(lastInsertRowid);
      }
      setVersion.run(next, id);
      return { version: next, globalSeq };
    },

    read: (stream: string, after: number, limit: number): EventRow[] => ofStream.all(stream, after, limit) as unknown as EventRow[],

    readAll(after: number, limit: number, types: readonly string[] | undefined) {
      const end = lastSeq();
      const upTo = types ? Math.min(end, after + SCAN) : end;
      const found = types ? ofTypes.all(after, upTo, JSON.stringify(types), limit) : ofAll.all(after, upTo, limit);
      const rows = found as unknown as EventRow[];
      const scanned = rows.length === limit ? rows.at(-1)![0] : upTo;
      return { rows, scanned, end: scanned >= end };
    },

    streamsSince: (globalSeq: number): string[] => streamsSince.all(globalSeq).map((row) => String(row["name"])),
  };
}

export type Journal = ReturnType<typeof openJournal>;
