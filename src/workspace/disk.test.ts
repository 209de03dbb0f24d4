import { execFileSync } from "node:child_process";
import { linkSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import * as fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import { DiskMeter, diskRoom, formatBytes, freeDisk, measureFolder, measureHome, watchSize, workspaceFull } from "./index.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "stepfall-disk-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const fill = (name: string, kilobytes: number): string => {
  const path = join(root, name);
  mkdirSync(join(path, ".."), { recursive: true });
  writeFileSync(path, Buffer.alloc(kilobytes * 1024, 1));
  return path;
};

test("a folder takes what the system's own tool says, hard links counted once, links not followed", async () => {
  for (let i = 0; i < 30; i++) fill(`a${i % 5}/b${i % 3}/f${i}`, i);
  const big = fill("big", 700);
  linkSync(big, join(root, "same"));
  symlinkSync("/usr", join(root, "elsewhere"));
  const du = Number(execFileSync("sh", ["-c", `du -sk "${root}"`], { encoding: "utf8" }).split("\t")[0]);
  const { bytes, isPartial } = await measureFolder(root);
  expect(Math.abs(bytes / 1024 - du)).toBeLessThanOrEqual(4);
  expect(isPartial).toBe(false);
  expect(await measureFolder(join(root, "not-there"))).toMatchObject({ bytes: 0, entries: 0 });
});

test("a look with a limit ends where it is passed, and says that it has not seen all", async () => {
  for (let i = 0; i < 50; i++) fill(`d${i}/f`, 100);
  const { bytes, isPartial, entries } = await measureFolder(root, { most: 300 * 1024 });
  expect(isPartial).toBe(true);
  expect(bytes).toBeGreaterThan(300 * 1024);
  expect(entries).toBeLessThan(101);
});

test("a folder that is being emptied while it is measured does no harm", async () => {
  for (let i = 0; i < 200; i++) fill(`d${i}/e/f`, 1);
  const measuring = measureFolder(root);
  rmSync(root, { recursive: true });
  await expect(measuring).resolves.toHaveProperty("bytes");
});

test("Stepfall's folder is told by kind, and the kinds add up", async () => {
  fill("workspaces/r/s-1/tree/f", 100);
  fill("cache/p/npm/f", 50);
  fill("runs/r/s.ndjson", 20);
  fill("stepfall.db", 40);
  fill("stepfall.db-wal", 10);
  fill("secrets", 1);
  const { total, ...kinds } = await measureHome(root);
  expect(Object.values(kinds).reduce((a, b) => a + b, 0)).toBe(total);
  expect(kinds.workspaces).toBeGreaterThanOrEqual(100 * 1024);
  expect(kinds.journal).toBeGreaterThanOrEqual(50 * 1024);
  expect(kinds.caches).toBeGreaterThanOrEqual(50 * 1024);
  expect(kinds.transcripts).toBeGreaterThanOrEqual(20 * 1024);
  expect(kinds.other).toBe(statSync(join(root, "secrets")).blocks * 512);
});

test("asked again and again, the folder is measured now and then", async () => {
  let now = 0;
  const meter = new DiskMeter(root, () => now);
  const before = (await meter.usage()).total;
  fill("workspaces/f", 500);
  expect((await meter.usage()).total).toBe(before);
  now += 31_000;
  expect((await meter.usage()).total).toBeGreaterThan(before);
  rmSync(join(root, "workspaces"), { recursive: true });
  meter.forget();
  expect((await meter.usage()).total).toBe(before);
});

test("an attempt that fills its workspace is told of once, soon, and one that does not is not", async () => {
  const found: number[] = [];
  const limit = 1024 * 1024;
  fill("tree/f", 100);
  {
    using _ = watchSize({ root, limit, everyMs: 20, onExceeded: (bytes) => found.push(bytes) });
    await sleep(120);
    expect(found).toEqual([]);
    fill("home/.cache/blob", 2000);
    const until = performance.now() + 3000;
    while (found.length === 0 && performance.now() < until) await sleep(10);
    await sleep(250);
  }
  expect(found).toHaveLength(1);
  expect(found[0]).toBeGreaterThan(limit);
  expect(workspaceFull(found[0] ?? 0, limit)).toMatch(/more than 1\.0 MB \(`isolation\.workspace-disk`\): \d/);
});

test("watching ends with the attempt", async () => {
  const found: number[] = [];
  const watch = watchSize({ root, limit: 10, everyMs: 10, onExceeded: (bytes) => found.push(bytes) });
  watch[Symbol.dispose]();
  fill("f", 100);
  await sleep(50);
  expect(found).toEqual([]);
});

test("free space is that of the disk the folder is on, or will be on", async () => {
  const free = await freeDisk(root);
  const df = Number(execFileSync("df", ["-Pk", root], { encoding: "utf8" }).split("\n")[1]?.split(/\s+/)[3]) * 1024;
  expect(Math.abs(free - df)).toBeLessThan(500e6);
  expect(await freeDisk(join(root, "not", "yet"))).toBeGreaterThan(0);
});

test("whether another attempt may start: it waits for others, and is refused when there are none to wait for", () => {
  const kinds = { workspaces: 8e9, caches: 3e9, transcripts: 1e9, journal: 0, gateway: 0, processes: 0, desks: 0, other: 0 };
  const usage = { ...kinds, total: 12e9 };
  const limits = { diskBytes: 10e9, freeDiskBytes: 1e9 };
  expect(diskRoom({ free: 5e9, usage, othersRunning: 0 }, { diskBytes: null, freeDiskBytes: null })).toEqual({ kind: "ok" });
  expect(diskRoom({ free: 5e9, usage, othersRunning: 0 }, limits)).toEqual({
    kind: "refuse",
    because: "Stepfall's folder takes 12.0 GB (workspaces 8.0 GB, caches 3.0 GB), more than `isolation.disk`: 10.0 GB",
    hint: "`stepfall gc` shows what can go, `stepfall clean --all` removes what finished runs left.",
  });
  expect(diskRoom({ free: 0.2e9, usage: undefined, othersRunning: 2 }, limits)).toEqual({
    kind: "wait",
    because: "only 200 MB are free on the disk of Stepfall's folder, and `isolation.free-disk` asks for 1.0 GB",
  });
  expect(diskRoom({ free: 1e9, usage: { ...usage, total: 10e9 }, othersRunning: 0 }, limits)).toEqual({ kind: "ok" });
  fc.assert(
    fc.property(fc.nat(), fc.nat(), fc.nat({ max: 3 }), fc.option(fc.nat()), fc.option(fc.nat()), (free, total, others, disk, least) => {
      const room = diskRoom({ free, usage: { ...usage, total }, othersRunning: others }, { diskBytes: disk, freeDiskBytes: least });
      const isShort = (disk !== null && total > disk) || (least !== null && free < least);
      expect(room.kind).toBe(!isShort ? "ok" : others > 0 ? "wait" : "refuse");
    }),
  );
});

test("sizes are written as disks are sold", () => {
  expect([0, 999, 1000, 1_499_999, 20e9, 99.96e9, 999.6e9, 3e15].map(formatBytes)).toEqual([
    "0 B",
    "999 B",
    "1.0 kB",
    "1.5 MB",
    "20.0 GB",
    "100 GB",
    "1.0 TB",
    "3000 TB",
  ]);
});
