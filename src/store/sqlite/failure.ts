import { StoreError, type StoreErrorCode } from "../errors.ts";

/** SQLite's primary result codes that have a meaning of their own here (https://sqlite.org/rescode.html). */
const BY_RESULT: Readonly<Record<number, StoreErrorCode>> = {
  3: "STORE_FULL", // SQLITE_PERM
  5: "STORE_BUSY",
  6: "STORE_BUSY", // SQLITE_LOCKED
  8: "STORE_FULL", // SQLITE_READONLY
  11: "STORE_CORRUPT",
  13: "STORE_FULL",
  14: "STORE_FULL", // SQLITE_CANTOPEN: a folder that cannot be written to
  26: "STORE_CORRUPT", // SQLITE_NOTADB
};
const SQLITE_IOERR = 10;

const BY_ERRNO: Readonly<Record<string, StoreErrorCode>> = {
  EACCES: "STORE_FULL",
  EPERM: "STORE_FULL",
  EROFS: "STORE_FULL",
  ENOSPC: "STORE_FULL",
  EDQUOT: "STORE_FULL",
};

const HINTS: Readonly<Record<StoreErrorCode, string>> = {
  STORE_CONFLICT: "Read the stream again and decide again.",
  STORE_STALE_LEASE: "Stop this work: it belongs to another holder now, or is over.",
  STORE_NEWER: "Upgrade Stepfall, or point STEPFALL_HOME at another folder.",
  STORE_CORRUPT: "Restore the file (with its -wal and -shm files) from a backup, or move it away to start afresh.",
  STORE_FULL: "Free some space or make the folder writable, then try again.",
  STORE_BUSY: "Another process is writing for a long time. Try again; nothing was written.",
  STORE_CLOSED: "Open the store again.",
  STORE_FAILED: "Try again; if it stays, keep the message and report it.",
};

export const storeError = (code: StoreErrorCode, message: string, cause?: unknown): StoreError =>
  new StoreError(code, message, HINTS[code], cause === undefined ? undefined : { cause });

const resultCode = (error: unknown): number | undefined => {
  const code = (error as { errcode?: unknown } | undefined)?.errcode;
  // The low byte is the primary code; the rest only refines it.
  return typeof code === "number" ? code & 0xff : undefined;
};

/** Names whatever SQLite or the file system threw about `file`. */
export function asStoreError(error: unknown, file: string): StoreError {
  if (error instanceof StoreError) return error;
  const said = error instanceof Error ? error.message : String(error);
  const result = resultCode(error);
  if (result !== undefined) {
    const code = BY_RESULT[result] ?? "STORE_FAILED";
    return storeError(code, `${file}: ${said}`, error);
  }
  const errno = (error as { code?: unknown } | undefined)?.code;
  return storeError(BY_ERRNO[String(errno)] ?? "STORE_FAILED", `${file}: ${said}`, error);
}

/** True when the error speaks about the whole transaction or file, not about the one request that met it. */
export function endsTransaction(error: unknown): boolean {
  const result = resultCode(error);
  if (result === undefined) return false;
  return result === SQLITE_IOERR || BY_RESULT[result] !== undefined;
}
