import { expect, test } from "vitest";
import { Scene } from "../../src/cli/cli.testkit.ts";
import { keptBy, type Kept } from "./run-journal.testkit.ts";

// Two cores shared with the rest of the suite may be busy just then: a second and a third look are allowed.
test("six independent steps with six slots start together and end, merged, with the slowest", { retry: 2 }, async () => {
  // What a step costs besides its command (a private clone, a snapshot, a merge) does not grow with the command. With six at once it is about
  // 0.35 to 0.45 s on two idle cores, and more on busy ones (docs/benchmarks.md): the commands are long enough to be held against that.
  const seconds = [7, 7, 7, 7, 7, 7];
  await using scene = new Scene({
    "six.yaml": `steps:\n${seconds
      .map((s, i) => `  s${i}: { command: "date +%s%N > began-${i}; sleep ${s}; date +%s%N > ended-${i}", outputs: [began-${i}] }\n`)
      .join("")}`,
  });
  const ended = await scene.run(["run", "six.yaml", "--slots", "6"]);
  expect(ended.code, ended.stderr).toBe(0);
  const kept = await keptBy(scene);
  const starts = kept.of("AttemptStarted").map((e) => e.at);
  const whole = (kept.of("RunFinished")[0]?.at ?? 0) - Math.min(...starts);
  const stamp = (name: string): number => Number(scene.git("show", `stepfall/${kept.runId}:${name}`)) / 1e6;
  const began = seconds.map((_, i) => stamp(`began-${i}`));
  const slowest = Math.max(...seconds.map((_, i) => stamp(`ended-${i}`) - stamp(`began-${i}`)));
  const spread = Math.max(...starts) - Math.min(...starts);
  const spreadOfCommands = Math.max(...began) - Math.min(...began);
  const measured = `started within ${spread} ms (their commands within ${spreadOfCommands.toFixed(0)} ms); all merged ${whole} ms after the first start, the slowest command took ${slowest.toFixed(0)} ms`;
  console.log(measured);
  expect(spread, measured).toBeLessThanOrEqual(100);
  expect(whole, measured).toBeLessThanOrEqual(1.1 * slowest);
  expect(kept.of("ResultMerged")).toHaveLength(6);
});

test("a hundred attempts over ten slots: no slot is idle while work waits", async () => {
  const steps = Array.from({ length: 100 }, (_, i) => `  s${i}: { command: "sleep 1", readonly: true }\n`).join("");
  await using scene = new Scene({ "hundred.yaml": `steps:\n${steps}` });
  const ended = await scene.run(["run", "hundred.yaml", "--slots", "10"]);
  expect(ended.code, ended.stderr).toBe(0);
  const kept = await keptBy(scene);
  expect(kept.of("AttemptAccepted")).toHaveLength(100);
  const { share, most } = idle(kept, 10);
  const measured = `idle while work waited: ${(share * 100).toFixed(1)} % of the slots' time; at most ${most} attempts at once`;
  console.log(measured);
  expect(most, measured).toBe(10);
  expect(share, measured).toBeLessThan(0.1);
});

/** Share of the slots' time, from the first start to the moment the queue was empty, in which no attempt held a slot by the journal. */
function idle(kept: Kept, slots: number): { share: number; most: number } {
  const changes: { at: number; running: number; waiting: number }[] = [];
  for (const { at } of kept.of("AttemptRouted")) changes.push({ at, running: 0, waiting: 1 });
  for (const { at } of kept.of("AttemptStarted")) changes.push({ at, running: 1, waiting: -1 });
  for (const { at } of kept.of("AttemptAccepted")) changes.push({ at, running: -1, waiting: 0 });
  changes.sort((a, b) => a.at - b.at);
  const first = Math.min(...kept.of("AttemptStarted").map((e) => e.at));
  let running = 0;
  let waiting = 0;
  let most = 0;
  let idleMs = 0;
  let wholeMs = 0;
  let last = first;
  for (const c of changes) {
    if (waiting > 0 && c.at > last) {
      const ms = c.at - last;
      wholeMs += ms * slots;
      idleMs += ms * Math.max(0, slots - running);
    }
    last = Math.max(last, c.at);
    running += c.running;
    waiting += c.waiting;
    most = Math.max(most, running);
  }
  return { share: idleMs / wholeMs, most };
}
