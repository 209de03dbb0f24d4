import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import { livePath, LivenessWatch, readLive, removeLive, writeLive, type LivenessItem } from "./index.ts";

function tempHome(): string {
  const home = mkdtempSync(join(tmpdir(), "stepfall-live-"));
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  return home;
}
function item(attempt: string, at: number): LivenessItem {
  const watch = new LivenessWatch({ attempt, step: "a", startedAt: at - 1000, peers: [{ durationMs: 1, tokens: 1, microUsd: 0 }] });
  watch.see({ kind: "action", at: at - 500, signature: "run x" });
  return watch.judge(at);
}

test("another process reads what was written, until it is removed", () => {
  const home = tempHome();
  const written = item("r/a#1", 100_000);
  writeLive(home, written);
  expect(readLive(home, "r/a#1", 100_500)).toEqual(written);
  expect(written.risk?.factors).toHaveLength(3);
  expect(statSync(livePath(home, "r/a#1")).mode & 0o777).toBe(0o600);
  writeLive(home, item("r/a#1", 102_000));
  expect(readLive(home, "r/a#1", 102_000)?.at).toBe(102_000);
  expect(readdirSync(join(home, "live"))).toHaveLength(1);
  expect(readLive(home, "r/a#2", 102_000)).toBeUndefined();
  removeLive(home, "r/a#1");
  removeLive(home, "r/a#1");
  expect(readLive(home, "r/a#1", 102_000)).toBeUndefined();
});

test("a file that nobody writes any more says how it was, not how it is", () => {
  const home = tempHome();
  writeLive(home, item("r/a#1", 100_000));
  const seen = readLive(home, "r/a#1", 160_000);
  expect(seen).toMatchObject({
    state: "unknown",
    since: 100_000,
    evidence: ["its engine has not said anything for 60 s", "then it was running: the call `run x` 1 s ago"],
  });
  expect(seen).not.toHaveProperty("risk");
});

test("a file that is no such file is passed over", () => {
  const home = tempHome();
  writeLive(home, item("r/a#1", 100_000));
  for (const text of ["", "{", '{"version":2}', JSON.stringify({ version: 1, ...item("r/other#1", 100_000) })]) {
    writeFileSync(livePath(home, "r/a#1"), text);
    expect(readLive(home, "r/a#1", 100_000), text).toBeUndefined();
  }
});

test("no two attempts share a file, whatever their steps are called", () => {
  const names = fc.string({ unit: "grapheme", maxLength: 300 });
  fc.assert(
    fc.property(names, names, (a, b) => {
      const [one, other] = [livePath("/h", `r/${a}#1`), livePath("/h", `r/${b}#1`)];
      expect(one.toLowerCase() === other.toLowerCase()).toBe(a === b);
      expect(one.length).toBeLessThan(150);
      expect(one).toMatch(/^\/h\/live\/[\w-]+\.json$/);
    }),
  );
});
