import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { findDamage } from "./damaged-wal.ts";
import { openDatabase } from "./database.ts";

let folder: string;
let wal: Buffer;
/** Where each commit ends. */
const ends: number[] = [];

/** A database whose log holds several commits of several pages, as an engine that was killed leaves it. */
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "stepfall-wal-"));
  const file = join(folder, "live.db");
  openDatabase(file, 1000).close();
  const db = new DatabaseSync(file);
  db.exec("PRAGMA wal_autocheckpoint = 0; CREATE TABLE t (x)");
  for (let i = 1; i <= 8; i++) {
    db.prepare("INSERT INTO t VALUES (?)").run("x".repeat(i * 1500));
    ends.push(readFileSync(`${file}-wal`).length);
  }
  wal = readFileSync(`${file}-wal`);
  copyFileSync(file, join(folder, "dead.db"));
  db.close();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** How many of the commits are there when it is opened; what was said when it was not. */
function open(log: Buffer): number | string {
  const file = join(folder, "opened.db");
  for (const end of ["-shm", "-wal"]) rmSync(file + end, { force: true });
  copyFileSync(join(folder, "dead.db"), file);
  writeFileSync(`${file}-wal`, log);
  try {
    const db = openDatabase(file, 1000);
    const isThere = db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 't'").get() !== undefined;
    const count = isThere ? Number(db.prepare("SELECT count(*) AS n FROM t").get()?.["n"]) : 0;
    db.close();
    return count;
  } catch (error) {
    return (error as Error).message;
  }
}

test("a log that is whole, or was cut short at any byte, is opened with every commit that is whole in it", () => {
  expect(open(wal)).toBe(8);
  fc.assert(
    fc.property(fc.integer({ min: ends[0] ?? 0, max: wal.length }), (length) => {
      expect(findDamage(wal.subarray(0, length))).toBeUndefined();
      return open(wal.subarray(0, length)) === ends.filter((end) => end <= length).length;
    }),
    { numRuns: 25 },
  );
});

test("one wrong byte is told when acknowledged commits are lost by it, with how to go on; in the last commit it may be a write that was cut short", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: wal.length - 1 }), (at) => {
      const bad = Buffer.from(wal);
      bad[at] = bad[at]! ^ 0x55;
      const before = ends.filter((end) => end <= at).length;
      const opened = open(bad);
      // In the header's own salt, too, nothing of what follows is its own any more.
      if (typeof opened === "number") return opened === before && before >= 7;
      expect(opened).toMatch(/is damaged at byte \d+: at least \d+ commits behind that cannot be read/);
      const cut = Number(/at byte (\d+)/.exec(opened)?.[1]);
      return cut <= at && (cut === 0 || open(bad.subarray(0, cut)) === before);
    }),
    { numRuns: 40 },
  );
});

test("what is left of an older log behind a newer one is no damage", () => {
  const newer = Buffer.from(wal);
  // The newer log has one commit; behind it stand the older one's, with another salt.
  for (let at = ends[0]!; at + 4120 <= newer.length; at += 4120) newer.writeUInt32BE(newer.readUInt32BE(at + 8) - 1, at + 8);
  expect(findDamage(newer)).toBeUndefined();
});
