import fc from "fast-check";
import { expect, test } from "vitest";
import { defaultLimits, liveness, LivenessWatch, Activity, type LivenessLimits, type Seen } from "./index.ts";

const MINUTE = 60_000;
const limits = defaultLimits;

/** An attempt whose keeper beats all the while: what a story says comes on top. */
function scene(story: readonly Seen[], until: number, options: { cpu?: (at: number) => number; beatsUntil?: number } = {}) {
  const activity = new Activity(0, limits);
  const beats: Seen[] = [];
  for (let at = limits.beatMs; at <= Math.min(until, options.beatsUntil ?? until); at += limits.beatMs)
    beats.push({ kind: "beat", at, cpuMs: options.cpu?.(at) ?? 0 });
  for (const seen of [...story, ...beats].sort((a, b) => a.at - b.at)) activity.see(seen);
  return liveness(activity, until, limits);
}
const output = (at: number): Seen => ({ kind: "output", at, stream: "stdout", bytes: 10 });
const action = (at: number, signature: string, result?: string): Seen => ({
  kind: "action",
  at,
  signature,
  ...(result === undefined ? {} : { result }),
});

test("it runs while it prints, and is idle soon after", () => {
  expect(scene([output(100_000)], 101_000)).toMatchObject({ state: "running", evidence: ["output 1 s ago"] });
  expect(scene([output(100_000)], 140_000)).toEqual({
    state: "idle",
    since: 115_000,
    evidence: ["nothing for 40 s: the last was output", "it uses 0 % of a processor"],
  });
});

test("a model call in flight is running for as long as it takes", () => {
  const seen = scene([{ kind: "call-started", at: 1000, call: "c" }], 30 * MINUTE);
  expect(seen).toMatchObject({ state: "running", evidence: ["a model call is in flight for 30 min"] });
  const streams = scene(
    [
      { kind: "call-started", at: 1000, call: "c" },
      { kind: "call-bytes", at: 30 * MINUTE - 4000, call: "c" },
    ],
    30 * MINUTE,
  );
  expect(streams.evidence[0]).toBe("a model call is in flight for 30 min, last bytes 4 s ago");
});

test("silence is stuck after ten minutes, and not a second before", () => {
  expect(scene([output(1000)], 1000 + 10 * MINUTE - 1).state).toBe("idle");
  expect(scene([output(1000)], 1000 + 10 * MINUTE)).toEqual({
    state: "stuck",
    since: 601_000,
    evidence: ["nothing for 10 min: the last was output", "it uses 0 % of a processor", "the limit is 10 min"],
  });
});

test("a build that prints nothing but computes is no silence; the odd blip of an idle process is no work", () => {
  expect(scene([output(1000)], 20 * MINUTE, { cpu: (at) => at })).toMatchObject({
    state: "running",
    evidence: ["processor time (100 % of one processor) 0 s ago"],
  });
  // 220 ms in two seconds, once: what gemini used while it waited for its model.
  expect(scene([output(1000)], 20 * MINUTE, { cpu: (at) => (at > 22_000 ? 220 : 0) }).state).toBe("stuck");
  expect(scene([output(1000)], 24_000, { cpu: (at) => (at > 22_000 ? 220 : 0) }).state).toBe("idle");
  // 1.5 % all the time: qwen.
  expect(scene([output(1000)], 20 * MINUTE, { cpu: (at) => at * 0.015 }).state).toBe("stuck");
});

test("who waits for a person is never stuck, and has its whole time again after the answer", () => {
  const asked: Seen = { kind: "wait-began", at: 5000, item: "r/a!1" };
  expect(scene([asked], 3 * 60 * MINUTE)).toMatchObject({ state: "idle", evidence: ["waits for a person for 3 h 0 min (r/a!1)"] });
  const answered: Seen = { kind: "wait-ended", at: 60 * MINUTE, item: "r/a!1" };
  expect(scene([asked, answered], 69 * MINUTE).state).toBe("idle");
  expect(scene([asked, answered], 70 * MINUTE).state).toBe("stuck");
  const loop = Array.from({ length: 9 }, (_, i) => action(1000 + i, "run x", "r"));
  expect(scene([...loop, asked], 10 * MINUTE).state).toBe("idle");
});

test("missing heartbeats are unknown, not dead and not stuck; anything heard is a sign of life", () => {
  const alive: Seen = { kind: "process", at: 19 * MINUTE, found: "alive", pid: 7 };
  expect(scene([alive], 20 * MINUTE, { beatsUntil: MINUTE })).toEqual({
    state: "unknown",
    since: MINUTE + 10_000,
    evidence: ["no heartbeat for 19 min (one is due every 2 s)", "the process table says that process 7 lives"],
  });
  expect(scene([output(20 * MINUTE - 1000)], 20 * MINUTE, { beatsUntil: MINUTE }).state).toBe("running");
});

test("without a keeper the process table tells; where it cannot be read nothing is known", () => {
  const activity = new Activity(0, limits);
  activity.see({ kind: "process", at: 60_000, found: "alive", pid: 7 });
  expect(liveness(activity, 65_000, limits).state).toBe("idle");
  activity.see({ kind: "process", at: 80_000, found: "unreadable", pid: 7 });
  expect(liveness(activity, 80_000, limits)).toMatchObject({
    state: "unknown",
    evidence: [expect.any(String), "the process table cannot be read"],
  });
});

test.each(["gone", "replaced"] as const)("a process that is %s is dead, whatever else was seen", (found) => {
  expect(
    scene([output(60_000), { kind: "call-started", at: 60_000, call: "c" }, { kind: "process", at: 60_001, found, pid: 7 }], 60_002),
  ).toMatchObject({
    state: "dead",
    since: 60_001,
  });
});

test("a process that is gone is dead, not unknown, also when its keeper went first", () => {
  expect(scene([{ kind: "process", at: 19 * MINUTE, found: "gone", pid: 7 }], 20 * MINUTE, { beatsUntil: MINUTE }).state).toBe("dead");
});

test("twice the same pair is no circle, however few calls are to be one", () => {
  const activity = new Activity(0, limits);
  for (const [i, what] of ["a", "b", "a", "b"].entries()) activity.see(action(i, what, "r"));
  expect(liveness(activity, 100, { ...limits, repeats: 3 }).state).toBe("running");
  for (const what of ["a", "b"]) activity.see(action(5, what, "r"));
  expect(liveness(activity, 100, { ...limits, repeats: 3 }).state).toBe("stuck");
});

test("eight equal calls are stuck, seven are not; a change of the files between begins anew", () => {
  const calls = (n: number, at = 0): Seen[] => Array.from({ length: n }, (_, i) => action(at + i * 1000, "run npm test", "2 failed"));
  expect(scene(calls(7), 8000).state).toBe("running");
  expect(scene(calls(8), 8000)).toMatchObject({
    state: "stuck",
    evidence: ["the same call 8 times in a row with the same result: `run npm test`", "the last of them 1 s ago"],
  });
  expect(scene([...calls(7), { kind: "change", at: 6500 }, ...calls(7, 7000)], 14_000).state).toBe("running");
  expect(scene([...calls(7), action(7000, "run npm test", "1 failed"), ...calls(7, 8000)], 15_000).state).toBe("running");
});

test.each([
  [2, 4],
  [3, 3],
])("%i calls in turn are stuck after %i rounds", (period, rounds) => {
  const calls = (n: number) => Array.from({ length: n }, (_, i) => action(i * 100, `read ${i % period}`, "r"));
  expect(scene(calls(period * rounds - 1), 9000).state).toBe("running");
  expect(scene(calls(period * rounds), 9000).state).toBe("stuck");
});

test("edits whose content is not known are not taken for equal", () => {
  const edits = Array.from({ length: 20 }, (_, i): Seen => ({ kind: "action", at: i * 100, signature: "edit a.js", isOpaqueChange: true }));
  expect(scene(edits, 5000).state).toBe("running");
});

test("what nobody watched is no silence: a laptop that slept an hour wakes with its attempts idle", () => {
  const watch = new LivenessWatch({ attempt: "r/a#1", step: "a", startedAt: 0 });
  for (let at = 2000; at <= 5 * MINUTE; at += 2000) {
    watch.see({ kind: "beat", at, cpuMs: 0 });
    watch.judge(at);
  }
  watch.see({ kind: "beat", at: 65 * MINUTE, cpuMs: 0 });
  expect(watch.judge(65 * MINUTE).state).toBe("idle");
  let stuckAt = 0;
  for (let at = 65 * MINUTE; at < 90 * MINUTE && stuckAt === 0; at += 2000) {
    watch.see({ kind: "beat", at, cpuMs: 0 });
    if (watch.judge(at).state === "stuck") stuckAt = at;
  }
  // Five minutes before it, the one that counts as watched, and four after.
  expect(stuckAt).toBe(69 * MINUTE);
});

const anything: fc.Arbitrary<(at: number) => Seen> = fc.oneof(
  fc.constant(output),
  fc.tuple(fc.constantFrom("run a", "run b", "edit c"), fc.constantFrom("x", "y", undefined)).map(
    ([s, r]) =>
      (at: number) =>
        action(at, s, r),
  ),
  fc.constant((at: number): Seen => ({ kind: "change", at })),
  fc.constantFrom("1", "2").map((call) => (at: number): Seen => ({ kind: "call-started", at, call })),
  fc.constantFrom("1", "2").map((call) => (at: number): Seen => ({ kind: "call-ended", at, call, tokens: 5 })),
  fc.constant((at: number): Seen => ({ kind: "wait-began", at, item: "i" })),
  fc.constant((at: number): Seen => ({ kind: "wait-ended", at, item: "i" })),
  fc.nat(20_000).map((cpuMs) => (at: number): Seen => ({ kind: "beat", at, cpuMs })),
  fc.constantFrom("alive", "unreadable", "alive", "gone").map((found) => (at: number): Seen => ({ kind: "process", at, found, pid: 7 })),
);
const history = fc.array(fc.tuple(fc.integer({ min: 0, max: 30_000 }), anything), { maxLength: 200 });

/** Plays it, judged after every event and in between. */
function judged(events: readonly (readonly [number, (at: number) => Seen])[], own: Partial<LivenessLimits> = {}) {
  const watch = new LivenessWatch({ attempt: "r/a#1", step: "a", startedAt: 0, limits: own });
  let now = 0;
  const looks = events.flatMap(([wait, make]) => {
    const half = watch.judge(now + Math.floor(wait / 2));
    now += wait;
    watch.see(make(now));
    return [half, watch.judge(now)];
  });
  return { watch, looks };
}

test("whatever is seen: every state has evidence, began in the past, and nothing that waits for a person is stuck", () => {
  fc.assert(
    fc.property(history, (events) => {
      const { looks, watch } = judged(events);
      for (const look of looks) {
        expect(look.evidence.length).toBeGreaterThan(0);
        expect(look.since).toBeLessThanOrEqual(look.at);
        expect(look.since).toBeGreaterThanOrEqual(0);
      }
      const last = looks.at(-1);
      if (last && watch.activity.items.size > 0 && watch.activity.process?.found !== "gone")
        expect(liveness(watch.activity, last.at, limits).state).not.toBe("stuck");
      expect(watch.activity.tokens.length).toBeLessThanOrEqual(64);
      expect(watch.activity.pauses.length).toBeLessThanOrEqual(128);
    }),
  );
});

test("it does not flap: but for stuck and dead, no state is shown that has not lasted", () => {
  fc.assert(
    fc.property(history, (events) => {
      const { looks } = judged(events, { holdMs: 5_000 });
      let changedAt: number | undefined;
      for (const [i, look] of looks.entries()) {
        const before = looks[i - 1];
        if (!before || before.state === look.state) continue;
        if (look.state !== "stuck" && look.state !== "dead") {
          // The new state was already coming at an earlier look, holdMs ago at least.
          if (changedAt !== undefined) expect(look.at - changedAt).toBeGreaterThanOrEqual(5_000);
        }
        changedAt = look.at;
      }
    }),
  );
});

test("activity is never punished: one more sign of work does not make a running attempt stuck by silence", () => {
  fc.assert(
    fc.property(history, (events) => {
      const { watch, looks } = judged(events);
      const now = (looks.at(-1)?.at ?? 0) + 1;
      const before = liveness(watch.activity, now, limits);
      watch.see(output(now));
      const after = liveness(watch.activity, now, limits);
      if (before.state === "running") expect(after.state).toBe("running");
    }),
  );
});
