import { chmodSync, closeSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { z } from "zod";
import { isAlive, type ProcessIdentity } from "./process-identity.ts";

/** Raised when the admin API or the record changes so that an older or newer engine could not use it. */
export const gatewayProtocol = 2;

const GatewayRecord = z.object({
  pid: z.number().int(),
  startTime: z.string(),
  port: z.number().int(),
  adminToken: z.string(),
  protocol: z.number().int(),
});
/** How engines find the running gateway. */
export type GatewayRecord = z.infer<typeof GatewayRecord>;

export interface GatewayPaths {
  folder: string;
  record: string;
  spool: string;
  log: string;
  lock: string;
}

export function gatewayPaths(home: string): GatewayPaths {
  const folder = join(home, "gateway");
  return {
    folder,
    record: join(folder, "gateway.json"),
    spool: join(folder, "spool.ndjson"),
    log: join(folder, "gateway.log"),
    lock: join(folder, "lock.sqlite"),
  };
}

export function makeFolder(paths: GatewayPaths): void {
  mkdirSync(paths.folder, { recursive: true, mode: 0o700 });
  chmodSync(paths.folder, 0o700);
}

/** The record as it stands; `undefined` when there is none or it cannot be read as one. */
export function readRecord(paths: Pick<GatewayPaths, "record">): GatewayRecord | undefined {
  try {
    return GatewayRecord.parse(JSON.parse(readFileSync(paths.record, "utf8")));
  } catch {
    return undefined;
  }
}

/** The record of a gateway whose process lives. */
export function livingRecord(paths: Pick<GatewayPaths, "record">): GatewayRecord | undefined {
  const record = readRecord(paths);
  return record && isAlive(record) ? record : undefined;
}

/** Whole or not at all, readable by the owner only. */
export function writeRecord(paths: GatewayPaths, record: GatewayRecord): void {
  const draft = `${paths.record}.${record.pid}`;
  writeFileSync(draft, JSON.stringify(record), { mode: 0o600 });
  renameSync(draft, paths.record);
}

/** Takes our own record away; another gateway's stays. */
export function removeRecord(paths: GatewayPaths, self: ProcessIdentity): void {
  const record = readRecord(paths);
  if (record?.pid === self.pid && record.startTime === self.startTime) rmSync(paths.record, { force: true });
}

/**
 * The right to be the gateway of this home, held until the process ends: an exclusive SQLite transaction, hence a lock of the operating
 * system, which goes with its process however that dies. `undefined` when another process holds it.
 */
export function takeLock(paths: GatewayPaths): { release(): void } | undefined {
  closeSync(openSync(paths.lock, "a", 0o600));
  const db = new DatabaseSync(paths.lock, { timeout: 0 });
  try {
    db.exec("BEGIN EXCLUSIVE");
    return { release: () => db.close() };
  } catch (cause) {
    db.close();
    if (/locked|busy/i.test(String(cause))) return undefined;
    throw cause;
  }
}
