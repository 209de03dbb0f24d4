import { readFileSync, statSync } from "node:fs";
import { StoreError } from "../errors.ts";

const HEADER = 32;
const FRAME_HEADER = 24;
/** A log this long is read by nobody in passing; SQLite itself keeps it near 4 MB. */
const LONGEST = 256 << 20;

/** Where a write-ahead log breaks off though acknowledged commits follow. */
export interface Damage {
  /** Bytes that are whole. */
  at: number;
  /** Commits behind it, at least. */
  lost: number;
}

/**
 * SQLite takes the first frame that does not fit for the end of the log, which is right after a crash and silently wrong where a disk has
 * damaged it in the middle. What tells them apart: a commit is durable before the next one is begun. So behind a write that was cut short
 * there is one commit at most, and two are a proof that an acknowledged one cannot be read. The format: https://sqlite.org/walformat.html
 */
export function findDamage(wal: Buffer): Damage | undefined {
  if (wal.length < HEADER) return undefined;
  const magic = wal.readUInt32BE(0);
  const pageSize = wal.readUInt32BE(8);
  const sum = new Checksum((magic & 1) === 1);
  sum.add(wal, 0, HEADER - 8);
  const isWhole = (magic & ~1) >>> 0 === 0x377f0682 && sum.is(wal, HEADER - 8);
  const frame = FRAME_HEADER + (isWhole ? pageSize : 4096);
  // Of a header that is damaged nothing can be believed: then the first frame says which log it is.
  const salt = isWhole ? wal.subarray(16, 24) : wal.subarray(HEADER + 8, HEADER + 16);
  const isOurs = (at: number): boolean => wal.subarray(at + 8, at + 16).equals(salt);
  const isCommit = (at: number): boolean => wal.readUInt32BE(at + 4) > 0;

  let at = HEADER;
  if (isWhole)
    for (; at + frame <= wal.length && isOurs(at); at += frame) {
      sum.add(wal, at, 8);
      sum.add(wal, at + FRAME_HEADER, frame - FRAME_HEADER);
      if (!sum.is(wal, at + 16)) break;
    }
  let lost = 0;
  for (let next = at; next + frame <= wal.length; next += frame) if (isCommit(next) && isOurs(next)) lost += 1;
  return lost >= 2 ? { at: isWhole ? at : 0, lost } : undefined;
}

/** The log's own checksum, over pairs of 32-bit words. */
class Checksum {
  #a = 0;
  #b = 0;
  readonly #isBigEndian: boolean;
  constructor(isBigEndian: boolean) {
    this.#isBigEndian = isBigEndian;
  }

  add(bytes: Buffer, from: number, length: number): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset + from, length);
    let a = this.#a;
    let b = this.#b;
    for (let i = 0; i + 8 <= length; i += 8) {
      a = (a + view.getUint32(i, !this.#isBigEndian) + b) >>> 0;
      b = (b + view.getUint32(i + 4, !this.#isBigEndian) + a) >>> 0;
    }
    this.#a = a;
    this.#b = b;
  }

  is = (bytes: Buffer, at: number): boolean => bytes.readUInt32BE(at) === this.#a && bytes.readUInt32BE(at + 4) === this.#b;
}

/** Throws STORE_CORRUPT where the log of a database has lost commits that were acknowledged. */
export function refuseDamagedWal(file: string): void {
  const wal = `${file}-wal`;
  const pause = new Int32Array(new SharedArrayBuffer(4));
  // Another process may be writing while this one reads: what is damaged stays so.
  for (let look = 1; ; look += 1) {
    const size = statSync(wal, { throwIfNoEntry: false })?.size ?? 0;
    if (size === 0 || size > LONGEST) return;
    const damage = findDamage(readFileSync(wal));
    if (!damage) return;
    if (look < 3) {
      Atomics.wait(pause, 0, 0, 50);
      continue;
    }
    throw new StoreError(
      "STORE_CORRUPT",
      `${wal} is damaged at byte ${damage.at}: at least ${damage.lost} commits behind that cannot be read`,
      `Restore ${file} and this file from a backup. Or go on without those commits: truncate --size=${damage.at} ${wal}`,
    );
  }
}
