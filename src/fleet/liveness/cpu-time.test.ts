import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { parsePsRows } from "./cpu-time.ts";
import { familyUse, LivenessWatch } from "./index.ts";

function start(script: string): ChildProcess & { pid: number } {
  const child = spawn("sh", ["-c", script], { stdio: "ignore", detached: true });
  onTestFinished(() => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
    } catch {
      // It has ended.
    }
  });
  if (child.pid === undefined) throw new TypeError("sh could not be started");
  return child as ChildProcess & { pid: number };
}

/** Beats of a real process, every `everyMs`, until `done`. */
async function beat(pid: number, watch: LivenessWatch, beats: number, everyMs: number): Promise<void> {
  for (let i = 0; i < beats; i++) {
    const use = familyUse(pid);
    watch.see({ kind: "beat", at: Date.now(), ...(use ? { cpuMs: use.cpuMs, rssBytes: use.rssBytes } : {}) });
    await sleep(everyMs);
  }
}

test("a process that computes in a child is at work without a word; one that sleeps is not", async () => {
  // Not `exec`: the work is a child's, as an agent's tools are.
  const busy = start("(while :; do :; done) & wait");
  const asleep = start("sleep 60 & wait");
  // A loop on a machine that is full gets little: far more than nothing all the same.
  const limits = { activeMs: 700, holdMs: 0, silenceMs: 60_000, cpuShare: 0.02 };
  const watches = [busy, asleep].map((_, i) => new LivenessWatch({ attempt: `r/${i}#1`, step: `${i}`, startedAt: Date.now(), limits }));
  const [first, second] = watches as [LivenessWatch, LivenessWatch];
  await Promise.all([beat(busy.pid, first, 6, 250), beat(asleep.pid, second, 6, 250)]);
  const now = Date.now();
  expect(first.judge(now)).toMatchObject({
    state: "running",
    evidence: [expect.stringMatching(/^processor time \(\d+ % of one processor\)/)],
  });
  expect(first.activity.cpuShare).toBeGreaterThan(limits.cpuShare);
  expect(second.judge(now).state).toBe("idle");
  expect(second.activity.cpuShare).toBeLessThan(limits.cpuShare);
  expect(familyUse(busy.pid)).toMatchObject({ processes: 2 });
  expect(familyUse(busy.pid)?.rssBytes).toBeGreaterThan(100_000);
});

// `timeout` makes a process group of its own, as agents do for their tools, and ends by itself.
test.runIf(process.platform === "linux")("what a process started belongs to it, also in a group of its own", async () => {
  const child = start("timeout 5 sleep 5 & wait");
  await expect.poll(() => familyUse(child.pid)?.processes, { timeout: 4000, interval: 50 }).toBe(3);
});

test("nothing is said of a process that is gone", async () => {
  const child = start("exit 0");
  await once(child, "exit");
  expect(familyUse(child.pid)).toBeUndefined();
});

test("processor time as ps writes it on macOS", () => {
  const rows = parsePsRows("  501     1   501   0:03.21   5120\n 502 501 501 1-02:03:04.5 100\n bad line\n");
  expect(rows.map(({ pid, ppid, cpuMs, rssBytes }) => [pid, ppid, cpuMs, rssBytes()])).toEqual([
    [501, 1, 3210, 5_242_880],
    [502, 501, (26 * 3600 + 3 * 60 + 4.5) * 1000, 102_400],
  ]);
});
