import fc from "fast-check";
import { expect, test } from "vitest";
import { Activity, defaultLimits, risk, type Peer, type Risk, type RiskFactor, type Seen } from "./index.ts";

const limits = defaultLimits;
const at = (story: readonly Seen[]): Activity => {
  const activity = new Activity(0, limits);
  for (const seen of story) activity.see(seen);
  return activity;
};
const run = (time: number, what: string): Seen => ({ kind: "action", at: time, signature: `run ${what}`, result: "r" });
const called = (time: number, tokens: number, microUsd = 0): Seen => ({ kind: "call-ended", at: time, call: "c", tokens, microUsd });
const peer = (tokens: number, durationMs = 60_000, microUsd = 0): Peer => ({ tokens, durationMs, microUsd });
const factor = (r: Risk, name: RiskFactor["name"]): RiskFactor | undefined => r.factors.find((f) => f.name === name);

test("what nothing is known of is left out by name, and the others weigh more", () => {
  const nothing = risk(at([]), [], 1000, limits);
  expect(nothing.leftOut).toEqual([
    { name: "repetition", because: "no tool call was seen" },
    { name: "burn", because: "no similar attempt has finished yet" },
  ]);
  expect(nothing.factors).toMatchObject([{ name: "silence", weight: 1 }]);
  const all = risk(at([run(1, "a"), called(2, 10)]), [peer(100)], 1000, limits);
  expect(all.factors.map((f) => [f.name, f.weight])).toEqual([
    ["repetition", 0.5],
    ["burn", 0.25],
    ["silence", 0.25],
  ]);
});

test("burn is the place among similar attempts: none up to the median, and few peers claim little", () => {
  const used = at([called(30_000, 400), called(60_000, 600)]);
  const burn = (peers: readonly Peer[]) => factor(risk(used, peers, 60_000, limits), "burn");
  expect(burn([peer(1000)])?.value).toBe(0);
  expect(burn([peer(10)])?.value).toBe(0);
  expect(burn(Array.from({ length: 9 }, () => peer(10)))?.value).toBeCloseTo(0.8);
  expect(burn(Array.from({ length: 9 }, () => peer(100_000)))).toEqual({
    name: "burn",
    value: 0,
    weight: 0.5,
    evidence: ["1000 tokens so far: more than 0 of 9 similar attempts used in all", "1000 tokens a minute: more than 0 of them"],
  });
});

test("money is compared with money, and tokens only where nothing cost anything", () => {
  const used = at([called(1, 10, 5_000)]);
  const evidence = (peers: readonly Peer[]) => factor(risk(used, peers, 60_000, limits), "burn")?.evidence[0];
  expect(evidence([peer(1, 1, 0), peer(1, 1, 900)])).toBe("5000 micro-dollars so far: more than 2 of 2 similar attempts used in all");
  expect(evidence([peer(1, 1, 0)])).toBe("10 tokens so far: more than 1 of 1 similar attempts used in all");
  expect(risk(used, [peer(0)], 60_000, limits).leftOut).toContainEqual({
    name: "burn",
    because: "nothing is known of what similar attempts used",
  });
});

test("a pause is judged by the attempt's own pauses: a minute is nothing for one that pauses minutes", () => {
  const pausing = (everyMs: number) =>
    at(Array.from({ length: 10 }, (_, i): Seen => ({ kind: "output", at: i * everyMs, stream: "stdout", bytes: 1 })));
  const quick = factor(risk(pausing(2000), [], 18_000 + 60_000, limits), "silence");
  const slow = factor(risk(pausing(50_000), [], 450_000 + 60_000, limits), "silence");
  expect(quick?.value).toBe(1);
  expect(quick?.evidence[1]).toBe("its 9 pauses took 2 s on average: phi 13.0 of 8");
  expect(slow?.value).toBeCloseTo(0.1);
});

test.each([
  { kind: "call-started", at: 1000, call: "c" },
  { kind: "wait-began", at: 1000, item: "r/a!1" },
] satisfies Seen[])("waiting for a model or a person is no silence: $kind", (waits) => {
  const activity = at([waits, ...Array.from({ length: 60 }, (_, i): Seen => ({ kind: "look", at: 2000 + i * 30_000 }))]);
  expect(factor(risk(activity, [], 30 * 60_000, limits), "silence")?.value).toBe(0);
});

const story = fc.array(
  fc.tuple(
    fc.integer({ min: 0, max: 20_000 }),
    fc.oneof(
      fc.constantFrom("a", "b", "c", "d").map((what) => (t: number) => run(t, what)),
      fc.nat(5000).map((tokens) => (t: number) => called(t, tokens, tokens * 2)),
      fc.constant((t: number): Seen => ({ kind: "output", at: t, stream: "stdout", bytes: 1 })),
    ),
  ),
  { maxLength: 80 },
);
const peersOf = fc.array(fc.record({ tokens: fc.nat(50_000), microUsd: fc.nat(50_000), durationMs: fc.integer({ min: 1, max: 1e6 }) }), {
  maxLength: 12,
});
const played = (events: readonly (readonly [number, (t: number) => Seen])[]): { activity: Activity; now: number } => {
  let now = 0;
  return { activity: at(events.map(([wait, make]) => make((now += wait)))), now };
};

test("score and factors are between 0 and 1, the weights add up to 1, each factor says why, and the score lies among its factors", () => {
  fc.assert(
    fc.property(story, peersOf, fc.nat(2_000_000), (events, peers, later) => {
      const { activity, now } = played(events);
      const r = risk(activity, peers, now + later, limits);
      expect(r.factors.reduce((sum, f) => sum + f.weight, 0)).toBeCloseTo(1);
      for (const f of r.factors) {
        expect(f.value).toBeGreaterThanOrEqual(0);
        expect(f.value).toBeLessThanOrEqual(1);
        expect(f.evidence.length).toBeGreaterThan(0);
      }
      const values = r.factors.map((f) => f.value);
      expect(r.score).toBeGreaterThanOrEqual(Math.min(...values) - 1e-9);
      expect(r.score).toBeLessThanOrEqual(Math.max(...values) + 1e-9);
      expect(r.factors.length + r.leftOut.length).toBe(3);
    }),
  );
});

test("one more of the same call never lowers the repetition, nor the score", () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom("a", "b", "c"), { minLength: 1, maxLength: 60 }), (calls) => {
      const known = calls.filter((call, i) => call !== calls[i - 1]);
      // From a beginning without repetition, the same call again and again.
      const scores = Array.from({ length: 12 }, (_, n) => {
        const again = Array.from({ length: n }, () => known.at(-1) ?? "a");
        return factor(risk(at([...known.slice(-2), ...again].map((what) => run(1000, what))), [], 1000, limits), "repetition")?.value ?? 0;
      });
      for (const [i, value] of scores.entries()) expect(value).toBeGreaterThanOrEqual(scores[i - 1] ?? 0);
      expect(scores.at(-1)).toBe(1);
    }),
  );
});

test("longer silence never lowers the score", () => {
  fc.assert(
    fc.property(story, peersOf, fc.nat(50_000), fc.nat(50_000), (events, peers, first, more) => {
      // Rates fall with time: only totals are compared here.
      const { activity, now } = played(events.filter(([, make]) => make(0).kind !== "call-ended"));
      const before = risk(activity, peers, now + first, limits);
      const after = risk(activity, peers, now + first + more, limits);
      expect(factor(after, "silence")?.value).toBeGreaterThanOrEqual(factor(before, "silence")?.value ?? 1);
      expect(after.score).toBeGreaterThanOrEqual(before.score - 1e-9);
    }),
  );
});

test("more spent in the same time never lowers the burn, nor the score", () => {
  fc.assert(
    fc.property(story, peersOf, fc.nat(20_000), (events, peers, extra) => {
      const { activity, now } = played([...events, [1, (t) => called(t, 0, 0)]]);
      const { activity: richer } = played([...events, [1, (t) => called(t, extra, extra)]]);
      const [a, b] = [risk(activity, peers, now, limits), risk(richer, peers, now, limits)];
      expect(factor(b, "burn")?.value ?? 0).toBeGreaterThanOrEqual(factor(a, "burn")?.value ?? 0);
      expect(b.score).toBeGreaterThanOrEqual(a.score - 1e-9);
    }),
  );
});
