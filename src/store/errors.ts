export type StoreErrorCode =
  | "STORE_CONFLICT" // another writer appended first: reload and decide again
  | "STORE_STALE_LEASE" // the lease was taken over: stop, the work is somebody else's now
  | "STORE_NEWER" // written by a newer Stepfall: upgrade
  | "STORE_CORRUPT"
  | "STORE_FULL" // no space, or a read-only folder
  | "STORE_BUSY" // another process held the write lock too long: try again
  | "STORE_CLOSED"
  | "STORE_FAILED"; // the database or its thread failed in a way that has no name of its own: the message says how

/** `message` says what happened and where; `hint` what to do. */
export class StoreError extends Error {
  readonly code: StoreErrorCode;
  readonly hint: string;
  constructor(code: StoreErrorCode, message: string, hint: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = "StoreError";
    this.code = code;
    this.hint = hint;
  }
}
