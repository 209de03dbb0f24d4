import { chmodSync, closeSync, mkdirSync, openSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { refuseDamagedWal } from "./damaged-wal.ts";
import { asStoreError, storeError } from "./failure.ts";
import { migrations } from "./migrations/all.ts";

/** "STPF", so that a database of another program is not taken for ours. */
const APPLICATION_ID = 0x53545046;

/** Opens the file, creating and migrating it as needed. Throws a StoreError. */
export function openDatabase(file: string, busyTimeoutMs: number): DatabaseSync {
  let db: DatabaseSync | undefined;
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    // SQLite gives its -wal and -shm files the mode of the database file.
    closeSync(openSync(file, "a", 0o600));
    refuseDamagedWal(file);
    db = new DatabaseSync(file, { timeout: busyTimeoutMs });
    checkOwner(db, file);
    tightenMode(file);
    enterWalMode(db, busyTimeoutMs);
    db.exec("PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA cache_size = -32000; PRAGMA temp_store = MEMORY");
    migrate(db, file);
    return db;
  } catch (error) {
    db?.close();
    throw asStoreError(error, file);
  }
}

const pragma = (db: DatabaseSync, name: string): number => Number(Object.values(db.prepare(`PRAGMA ${name}`).get() ?? {})[0]);

/** A file of somebody else's that we may use stays as they made it. */
function tightenMode(file: string): void {
  const { mode, uid } = statSync(file);
  if (mode & 0o077 && uid === process.getuid?.()) chmodSync(file, 0o600);
}

function checkOwner(db: DatabaseSync, file: string): void {
  const id = pragma(db, "application_id");
  const isEmpty = db.prepare("SELECT 1 FROM sqlite_schema LIMIT 1").get() === undefined;
  if (id !== APPLICATION_ID && !(id === 0 && isEmpty)) {
    throw storeError("STORE_CORRUPT", `${file} is a database, but not one of Stepfall's`);
  }
}

/** Two processes that create the file at the same time refuse each other the mode switch without waiting. */
function enterWalMode(db: DatabaseSync, busyTimeoutMs: number): void {
  const pause = new Int32Array(new SharedArrayBuffer(4));
  for (let waitedMs = 0; ; waitedMs += 20) {
    try {
      db.exec("PRAGMA journal_mode = WAL");
      return;
    } catch (error) {
      if (asStoreError(error, "").code !== "STORE_BUSY" || waitedMs >= busyTimeoutMs) throw error;
      Atomics.wait(pause, 0, 0, 20);
    }
  }
}

function migrate(db: DatabaseSync, file: string): void {
  const known = migrations.length;
  const refuseNewer = (version: number): void => {
    if (version > known) throw storeError("STORE_NEWER", `${file} has schema version ${version}; this Stepfall knows ${known}`);
  };
  const before = pragma(db, "user_version");
  refuseNewer(before);
  if (before === known) return;
  db.exec("BEGIN IMMEDIATE");
  try {
    // Another process may have migrated while this one waited for the lock.
    const version = pragma(db, "user_version");
    refuseNewer(version);
    for (const sql of migrations.slice(version)) db.exec(sql);
    db.exec(`PRAGMA user_version = ${known}; PRAGMA application_id = ${APPLICATION_ID}; COMMIT`);
  } catch (error) {
    if (db.isTransaction) db.exec("ROLLBACK");
    throw error;
  }
}
