import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { RunSummary } from "../../control/index.ts";
import { noLog } from "../../logs/index.ts";
import { lookAfterHome, type LookedAfter } from "./look-after-home.ts";

let home: string;
let now: number;
let said: string[];
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "stepfall-after-"));
  writeFileSync(join(home, "stepfall.db"), "");
  mkdirSync(join(home, "launched"));
  now = Date.now();
  said = [];
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const looking = (control: LookedAfter["control"]): LookedAfter => ({
  home,
  control,
  clock: { now: () => now },
  log: noLog,
  note: (text) => said.push(text),
  lookMs: 5,
});
const run = (runId: string): RunSummary => ({ runId, pipeline: "p" }) as RunSummary;
const nothing = { abandoned: () => Promise.resolve([]), resume: (_: string, runId: string) => Promise.resolve({ runId }) };

test("after a crash of the machine its runs are taken up a few at a time; one that fails holds up nobody, and none is lost", async () => {
  const left = Array.from({ length: 30 }, (_, i) => `run${i}`);
  let atOnce = 0;
  let most = 0;
  const resumed: string[] = [];
  const stop = new AbortController();
  const control = {
    abandoned: () => Promise.resolve(left.splice(0, 20).map(run)),
    async resume(actor: string, runId: string) {
      most = Math.max(most, ++atOnce);
      await sleep(2);
      atOnce -= 1;
      resumed.push(`${runId} by ${actor}`);
      if (resumed.length === 30) stop.abort();
      if (runId === "run3") throw new Error("its project is gone");
      return { runId };
    },
  };
  await lookAfterHome(looking(control), stop.signal);
  expect(most).toBe(4);
  expect(resumed.toSorted()).toEqual(Array.from({ length: 30 }, (_, i) => `run${i} by up:take-up`).toSorted());
  expect(said).toContain("run run3 does not go on: its project is gone");
});

test("a server that ends does not wait for runs that are being taken up, and takes up no more", async () => {
  const stop = new AbortController();
  let begun = 0;
  const control = {
    abandoned: () => Promise.resolve(Array.from({ length: 9 }, (_, i) => run(`run${i}`))),
    resume(): Promise<{ runId: string }> {
      if (++begun === 4) setTimeout(() => stop.abort(), 10);
      return new Promise(() => {});
    },
  };
  await lookAfterHome(looking(control), stop.signal);
  expect(begun).toBe(4);
});

test("what started processes printed goes after a week, also while the server runs for months", async () => {
  const stop = new AbortController();
  const file = join(home, "launched", "old.ndjson");
  writeFileSync(file, "");
  const looked = lookAfterHome(looking(nothing), stop.signal);
  await sleep(20);
  expect(readdirSync(join(home, "launched"))).toEqual(["old.ndjson"]);
  now += 8 * 86_400_000;
  writeFileSync(join(home, "launched", "new.ndjson"), "");
  utimesSync(join(home, "launched", "new.ndjson"), now / 1000, now / 1000);
  await sleep(40);
  expect(readdirSync(join(home, "launched"))).toEqual(["new.ndjson"]);
  stop.abort();
  await looked;
});

test.each(["is gone", "is another one"])("a home that %s is served no more, and that is said", async (how) => {
  const looked = lookAfterHome(looking(nothing), new AbortController().signal);
  const refused = expect(looked).rejects.toMatchObject({ code: "HOME_GONE", exitCode: 1 });
  await sleep(20);
  renameSync(home, `${home}.old`);
  if (how === "is another one") {
    mkdirSync(home);
    writeFileSync(join(home, "stepfall.db"), "");
  }
  await refused;
  rmSync(`${home}.old`, { recursive: true });
});
