import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { madeUpJournal, recordedIn } from "../../../../src/domain/made-up-journal.testkit.ts";
import { anyMove, anyRichPipeline } from "../../../../src/domain/simulate.testkit.ts";
import { activity, barsOf, runTimes } from "./activity.ts";
import { RunHistory } from "./history.ts";
import { partition, type Span } from "./spans.ts";
import { timeScale } from "./time-scale.ts";

const anySpans = fc.array(
  fc
    .record({ from: fc.integer({ min: -50, max: 150 }), length: fc.nat(60) })
    .map(({ from, length }): Span => ({ from, to: from + length })),
  { maxLength: 6 },
);

const covers = (spans: readonly Span[], at: number): boolean => spans.some((s) => s.from <= at && at < s.to);

test("a stretch of time is cut into pieces that are all of it, each named after the first layer that covers it", () => {
  fc.assert(
    fc.property(anySpans, anySpans, (a, b) => {
      const pieces = partition({ from: 0, to: 100 }, [
        ["a", a],
        ["b", b],
      ]);
      expect(pieces[0]?.from).toBe(0);
      expect(pieces.at(-1)?.to).toBe(100);
      pieces.slice(1).forEach((p, i) => expect([p.from, p.layer === pieces[i]?.layer]).toEqual([pieces[i]?.to, false]));
      for (let at = 0; at < 100; at++) {
        const layer = covers(a, at) ? "a" : covers(b, at) ? "b" : undefined;
        expect(pieces.find((p) => p.from <= at && at < p.to)?.layer).toBe(layer);
      }
    }),
    { numRuns: 60 },
  );
});

describe("the time scale", () => {
  const hour = 3_600_000;
  // A minute of work, a night in which an approval waited, a minute of work.
  const night = partition({ from: 0, to: 10 * hour }, [
    [
      "work",
      [
        { from: 0, to: 60_000 },
        { from: 10 * hour - 60_000, to: 10 * hour },
      ],
    ],
    ["people", [{ from: 60_000, to: 9 * hour }]],
  ] as const);

  test("draws a night of waiting as a narrow break, and says what it was", () => {
    const scale = timeScale(night, { from: 0, to: 10 * hour }, 1000);
    expect(scale.breaks.map((b) => [b.kind, b.from, b.to])).toEqual([
      ["people", 60_000, 9 * hour],
      ["idle", 9 * hour, 10 * hour - 60_000],
    ]);
    for (const b of scale.breaks) expect(b.x1 - b.x0).toBeLessThan(70);
    expect(scale.x(60_000)).toBeGreaterThan(400);
  });

  test("draws time in proportion where nothing is long", () => {
    const scale = timeScale(
      partition({ from: 0, to: 100 }, [
        [
          "work",
          [
            { from: 0, to: 49 },
            { from: 51, to: 100 },
          ],
        ],
      ]),
      { from: 0, to: 100 },
      1000,
    );
    expect(scale.breaks).toEqual([]);
    expect(scale.x(50)).toBeCloseTo(500);
  });

  test("never turns back, stays within its width, and finds the time that was drawn", () => {
    fc.assert(
      fc.property(anySpans, anySpans, fc.integer({ min: 0, max: 40 }), (work, people, from) => {
        const range = { from, to: 100 };
        const scale = timeScale(
          partition({ from: 0, to: 100 }, [
            ["work", work],
            ["people", people],
          ]),
          range,
          640,
        );
        let before = 0;
        for (let at = from; at <= 100; at++) {
          const x = scale.x(at);
          expect(x).toBeGreaterThanOrEqual(before);
          expect(x).toBeLessThanOrEqual(640.001);
          expect(scale.at(x)).toBeCloseTo(at, 3);
          before = x;
        }
      }),
      { numRuns: 40 },
    );
  });
});

test("run time, time with people and idle time add up, whatever happened", () => {
  fc.assert(
    fc.property(anyRichPipeline, fc.array(anyMove, { maxLength: 30 }), fc.nat(500), (pipeline, moves, seek) => {
      const events = recordedIn(madeUpJournal(pipeline, moves, { end: true }));
      const history = new RunHistory();
      history.follow(events);
      const version = 1 + (seek % events.length);
      const state = history.at(version);
      const now = history.event(version)?.at ?? 0;
      const bars = barsOf(state, history.facts, now);
      for (const own of bars.values())
        for (const bar of own) {
          expect(bar.to).toBeGreaterThanOrEqual(bar.from);
          expect(bar.to).toBeLessThanOrEqual(now);
        }
      const { runMs, peopleMs, idleMs } = runTimes(activity(state, bars, now));
      expect(runMs + peopleMs + idleMs).toBe((state.endedAt ?? now) - state.startedAt);
    }),
    { numRuns: 60 },
  );
});
