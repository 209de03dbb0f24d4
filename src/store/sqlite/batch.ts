import type { DatabaseSync } from "node:sqlite";
import type { StoreError } from "../errors.ts";
import { asStoreError, endsTransaction } from "./failure.ts";
import type { Performer } from "./perform.ts";
import type { Outcome, Read, Refusal, Request, Write } from "./wire.ts";

export const asRefusal = ({ code, message, hint }: StoreError): Refusal => ({ code, message, hint });

const isWrite = (request: Request): request is Write =>
  request.kind === "commit" ||
  request.kind === "reserve" ||
  request.kind === "extend" ||
  request.kind === "acquire" ||
  request.kind === "release";

/**
 * Group commit: all writes of the batch in one transaction, so that they share one fsync, each in a savepoint of its
 * own, so that a refused one takes no other with it. Reads come after it and see only what is durable. The outcomes are
 * in the order of the requests.
 */
export function openBatches(db: DatabaseSync, performer: Performer, file: string) {
  const begin = db.prepare("BEGIN IMMEDIATE");
  const commit = db.prepare("COMMIT");
  const savepoint = db.prepare("SAVEPOINT request");
  const keep = db.prepare("RELEASE request");
  const undo = db.prepare("ROLLBACK TO request");

  const refuse = (error: unknown): Outcome => ({ ok: false, refusal: asRefusal(asStoreError(error, file)) });

  const writeOne = (write: Write): Outcome => {
    savepoint.run();
    try {
      const value = performer.write(write);
      keep.run();
      return { ok: true, value };
    } catch (error) {
      if (!db.isTransaction || endsTransaction(error)) throw error;
      undo.run();
      keep.run();
      return refuse(error);
    }
  };

  const writeAll = (writes: readonly Write[]): Outcome[] => {
    if (writes.length === 0) return [];
    try {
      begin.run();
      const outcomes = writes.map(writeOne);
      commit.run();
      return outcomes;
    } catch (error) {
      const refused = refuse(error);
      try {
        if (db.isTransaction) db.exec("ROLLBACK");
      } catch {
        // SQLite had rolled back by itself; the first error is the one that says why.
      }
      return writes.map(() => refused);
    }
  };

  const readOne = (read: Read): Outcome => {
    try {
      return { ok: true, value: performer.read(read) };
    } catch (error) {
      return refuse(error);
    }
  };

  return (requests: readonly Request[]): Outcome[] => {
    const written = writeAll(requests.filter(isWrite)).values();
    return requests.map((request) => (isWrite(request) ? written.next().value! : readOne(request)));
  };
}
