import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createMasker } from "../config/index.ts";
import { createLog, openLogFile, spanIdOf, SystemLog, traceIdOf, type LogOptions, type SystemLine } from "./index.ts";

const DAY = 86_400_000;
const NOON = Date.parse("2026-11-22T12:00:00Z");
const fields = ["time", "level", "process", "pid", "room", "event", "message"];

let home: string;
let now: number;
const clock = { now: () => now };
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "stepfall-logs-"));
  now = NOON;
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const files = (): string[] => readdirSync(join(home, "logs")).toSorted();
const lines = (): SystemLine[] => [...new SystemLog(home).next()];
function open(more: Partial<LogOptions> & { keepMs?: number; mostFileBytes?: number; mostBytes?: number } = {}) {
  const { keepMs = 14 * DAY, mostFileBytes, mostBytes, ...options } = more;
  const tuning = { ...(mostFileBytes === undefined ? {} : { mostFileBytes }), ...(mostBytes === undefined ? {} : { mostBytes }) };
  const sinks = [openLogFile(home, { clock, keepMs, ...tuning })];
  return createLog({ process: "driver", pid: 7, clock, level: "info", mask: (text) => text, sinks, ...options });
}

describe("a line", () => {
  test("says when, who, what and of which run, and stands in the run's trace", () => {
    const log = open().child({ room: "engine" });
    log.warn("attempt-lease-lost", "its lease was taken over", { attempt: "01run/fix#1", data: { epoch: 3 } });
    log.info("drive-began", "this process drives the run", { run: "01run" });
    const [lost, began] = lines();
    expect(lost).toEqual({
      time: "2026-11-22T12:00:00.000Z",
      level: "warn",
      process: "driver",
      pid: 7,
      room: "engine",
      event: "attempt-lease-lost",
      message: "its lease was taken over",
      run: "01run",
      attempt: "01run/fix#1",
      trace_id: traceIdOf("01run"),
      span_id: spanIdOf("attempt", "01run/fix#1"),
      data: { epoch: 3 },
    });
    expect(Object.keys(lost ?? {}).slice(0, 7)).toEqual(fields);
    expect(began).toMatchObject({ span_id: spanIdOf("run", "01run") });
    expect(statSync(join(home, "logs", files()[0] ?? "")).mode & 0o777).toBe(0o600);
    expect(statSync(join(home, "logs")).mode & 0o777).toBe(0o700);
  });

  test("keeps an error's code, stack and causes; below the level nothing is written", () => {
    const log = open({ level: "warn" });
    log.info("x", "not said");
    log.debug("x", "not said");
    const cause = new Error("the disk");
    log.error("x", "said", { error: Object.assign(new Error("busy", { cause }), { code: "STORE_BUSY" }) });
    const [line, ...rest] = lines();
    expect(rest).toEqual([]);
    expect(line?.error).toMatchObject({ code: "STORE_BUSY", message: "busy" });
    expect(line?.error?.stack).toMatch(/Error: busy\n.*\n?[^]*caused by Error: the disk/);
    open({ level: "off" }).error("x", "nothing at all");
    expect(lines()).toHaveLength(1);
  });

  test("shows no secret, wherever it stands, also where it is cut, and no line is longer than a page", () => {
    const secret = "the-secret-of-the-house";
    const { mask } = createMasker([secret]);
    const log = open({ mask });
    log.warn("x", `${"m".repeat(1995)}${secret}`, {
      step: secret,
      data: { [`k`]: secret },
      error: new Error(`${"e".repeat(5980)}${secret}${"f".repeat(100_000)}`),
    });
    const text = readFileSync(join(home, "logs", files()[0] ?? ""), "utf8");
    expect(text).not.toMatch(/the-sec/);
    expect(text).toContain('"step":"***"');
    expect(text.length).toBeLessThan(16_000);
  });

  test("that is said without end is held back after sixty a minute, and how often is told", () => {
    const log = open();
    for (let i = 0; i < 1000; i += 1) log.warn("refused", `n${i}`);
    log.warn("other", "is heard");
    expect(lines()).toHaveLength(61);
    now += 61_000;
    log.warn("refused", "again");
    expect(lines().at(-1)).toMatchObject({ message: "again", data: { heldBack: 940 } });
  });
});

describe("the files", () => {
  test("are one a day or more, and what is too old or too much goes", () => {
    const log = open({ keepMs: 2 * DAY, mostFileBytes: 2000, mostBytes: 6000 });
    mkdirSync(join(home, "logs"));
    writeFileSync(join(home, "logs", "2026-11-01.001.jsonl"), "{}\n");
    writeFileSync(join(home, "logs", "mine.txt"), "not the log's");
    for (let day = 0; day < 4; day += 1) {
      for (let i = 0; i < 40; i += 1) log.info(`e${i}`, "x".repeat(200));
      now += DAY;
    }
    const bytes = files().reduce((sum, name) => sum + statSync(join(home, "logs", name)).size, 0);
    expect(bytes).toBeLessThan(6000 + 2 * 2400);
    expect(files()).not.toContain("2026-11-01.001.jsonl");
    expect(files()).toContain("mine.txt");
    expect(files().some((name) => /^2026-11-25\.\d{3}\.jsonl$/.test(name))).toBe(true);
  });

  test("that are too old go by their day alone", () => {
    mkdirSync(join(home, "logs"));
    for (const day of ["2026-11-18", "2026-11-19", "2026-11-20", "2026-11-21"])
      writeFileSync(join(home, "logs", `${day}.001.jsonl`), "{}\n");
    open({ keepMs: 2 * DAY }).info("x", "now");
    expect(files()).toEqual(["2026-11-20.001.jsonl", "2026-11-21.001.jsonl", "2026-11-22.001.jsonl"]);
  });

  test("are shared by several processes: no line is mixed with another or lost", async () => {
    const program = `
      import { createLog, openLogFile } from ${JSON.stringify(join(import.meta.dirname, "index.ts"))};
      const clock = { now: () => Date.now() };
      const sinks = [openLogFile(${JSON.stringify(home)}, { clock, keepMs: 1e10, mostFileBytes: 50_000 })];
      const log = createLog({ process: "p", pid: process.pid, clock, level: "info", mask: (t) => t, sinks });
      for (let i = 0; i < 300; i += 1) log.info("e" + i, process.pid + " " + i + " " + "x".repeat(400));
    `;
    const children = [1, 2, 3].map(() =>
      spawn(process.execPath, ["--input-type=module", "-e", program], { stdio: ["ignore", "ignore", "inherit"] }),
    );
    await Promise.all(children.map((child) => once(child, "exit")));
    const said = lines().map(({ message }) => message.split(" ").slice(0, 2).join(" "));
    expect(new Set(said).size).toBe(900);
    expect(said).toHaveLength(900);
    expect(files().length).toBeGreaterThan(5);
  });

  test("that cannot be written lose their lines, and nobody who says something hears of it", () => {
    const log = open();
    // Its folder is a file; then a link that leads elsewhere.
    writeFileSync(join(home, "logs"), "in the way");
    expect(() => log.error("x", "lost")).not.toThrow();
    rmSync(join(home, "logs"));
    mkdirSync(join(home, "logs"));
    symlinkSync(join(home, "elsewhere"), join(home, "logs", "2026-11-22.001.jsonl"));
    log.error("x", "lost, too");
    expect(existsSync(join(home, "elsewhere"))).toBe(false);
    rmSync(join(home, "logs", "2026-11-22.001.jsonl"));
    log.error("x", "kept");
    expect(lines().map((l) => l.message)).toEqual(["kept"]);
    // A home that is gone is not made again.
    rmSync(home, { recursive: true });
    log.error("x", "lost");
    expect(() => statSync(home)).toThrow();
    mkdirSync(home);
  });
});

test("a reader goes on where it was, over new files, half lines and what is no line", () => {
  const log = open();
  const reader = new SystemLog(home);
  expect([...reader.next()]).toEqual([]);
  log.info("a", "one");
  expect([...reader.next()].map((l) => l.message)).toEqual(["one"]);
  const file = join(home, "logs", files()[0] ?? "");
  appendFileSync(file, 'garbage\n{"time":"2026-11-22T12:00:00.000Z","level":"info","event":"b","mess');
  expect([...reader.next()]).toEqual([]);
  appendFileSync(file, `age":"two äöü"}\n${"z".repeat(600_000)}\n`);
  now += DAY;
  log.info("c", "three");
  expect([...reader.next()].map((l) => l.message)).toEqual(["two äöü", "three"]);
  expect([...reader.next()]).toEqual([]);
});
