import { chmodSync, closeSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

/** The gateway's folder. What the holder needs of it is here and loads next to nothing: the holder lives as long as the gateway and is to be small. */

/** Raised when the admin API or the record changes so that an older or newer engine could not use it. */
export const gatewayProtocol = 4;

export interface GatewayPaths {
  folder: string;
  record: string;
  spool: string;
  log: string;
  lock: string;
  /** Held by the worker: one writer of the spool, also while the worker of a killed holder is on its way out. */
  workerLock: string;
  /** The port of the gateway before: the next one listens there again. */
  port: string;
  /** Hashes of the keys that are open, so that a gateway that was started again waits for them. */
  openKeys: string;
  /** How the providers are: see failover/provider-states.ts. */
  providers: string;
  /** What keys are derived from. */
  secret: string;
}

export function gatewayPaths(home: string): GatewayPaths {
  const folder = join(home, "gateway");
  return {
    folder,
    record: join(folder, "gateway.json"),
    spool: join(folder, "spool.ndjson"),
    log: join(folder, "gateway.log"),
    lock: join(folder, "lock.sqlite"),
    workerLock: join(folder, "worker-lock.sqlite"),
    port: join(folder, "port"),
    openKeys: join(folder, "open-keys.json"),
    providers: join(folder, "providers.json"),
    secret: join(folder, "keys.secret"),
  };
}

export function makeFolder(paths: GatewayPaths): void {
  mkdirSync(paths.folder, { recursive: true, mode: 0o700 });
  chmodSync(paths.folder, 0o700);
}

/** Whole or not at all, readable by the owner only. */
export function writeWhole(path: string, text: string): void {
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, text, { mode: 0o600 });
  renameSync(draft, path);
}

/** The port of the gateway before; `undefined` where there was none. */
export function lastPort(paths: GatewayPaths): number | undefined {
  try {
    const port = Number(readFileSync(paths.port, "utf8"));
    return Number.isInteger(port) && port > 0 && port < 65_536 ? port : undefined;
  } catch {
    return undefined;
  }
}

/** Whether a record is still the one that was written there. */
export function isRecord(paths: GatewayPaths, text: string): boolean {
  try {
    return readFileSync(paths.record, "utf8") === text;
  } catch {
    return false;
  }
}

/** Takes our own record away; another gateway's stays. */
export function removeRecord(paths: GatewayPaths, text: string): void {
  if (isRecord(paths, text)) rmSync(paths.record, { force: true });
}

/** Kept here, so that no garbage collection closes a lock whose taker has no more use for it. */
const locks = new Set<DatabaseSync>();

/**
 * A right that one process of this home has at a time, held until it ends: an exclusive SQLite transaction, hence a lock of the operating
 * system, which goes with its process however that dies. `undefined` when another process holds it.
 */
export function takeLock(lock: string): { release(): void } | undefined {
  closeSync(openSync(lock, "a", 0o600));
  const db = new DatabaseSync(lock, { timeout: 0 });
  try {
    db.exec("BEGIN EXCLUSIVE");
    locks.add(db);
    return {
      release: () => {
        locks.delete(db);
        db.close();
      },
    };
  } catch (cause) {
    db.close();
    if (/locked|busy/i.test(String(cause))) return undefined;
    throw cause;
  }
}
