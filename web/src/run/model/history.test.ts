import fc from "fast-check";
import { expect, test } from "vitest";
import { emptyRun, fold, type Pipeline, type Recorded } from "../../../../src/domain/index.ts";
import { madeUpJournal, recordedIn } from "../../../../src/domain/made-up-journal.testkit.ts";
import { anyMove, anyRichPipeline, type Move } from "../../../../src/domain/simulate.testkit.ts";
import { RunHistory, SNAPSHOT_EVERY } from "./history.ts";

const played = (pipeline: Pipeline, moves: readonly Move[]): Recorded[] => recordedIn(madeUpJournal(pipeline, moves, { end: true }));

test("whatever happened in a run, the state at any event is the fold up to it, however one seeks", () => {
  fc.assert(
    fc.property(
      anyRichPipeline,
      fc.array(anyMove, { maxLength: 25 }),
      fc.array(fc.nat(400), { minLength: 1, maxLength: 8 }),
      (pipeline, moves, seeks) => {
        const events = played(pipeline, moves);
        const history = new RunHistory();
        // It comes in two parts, with a look back between them.
        const half = Math.floor(events.length / 2);
        history.follow(events.slice(0, half));
        history.at(Math.floor(half / 2));
        history.follow(events);
        for (const seek of seeks) {
          const version = seek % (events.length + 1);
          expect(history.at(version)).toEqual(fold(events.slice(0, version), emptyRun()));
        }
        expect(history.at(events.length)).toEqual(fold(events));
      },
    ),
    { numRuns: 60 },
  );
});

/** A run of many events: one step that is tried again and again. */
function longRun(length: number): Recorded[] {
  const [begun] = recordedIn(madeUpJournal({ name: "p", steps: [] }));
  const events: Recorded[] = [begun!];
  while (events.length < length) {
    const version = events.length + 1;
    events.push({
      ...begun!,
      version,
      globalSeq: version,
      at: begun!.at + version,
      event: { type: "CancelRequested", data: { reason: `${version}` } },
    });
  }
  return events;
}

test("folding goes on from a snapshot that a seek has begun from, and the snapshot stays as it was", () => {
  fc.assert(
    fc.property(anyRichPipeline, fc.array(anyMove, { maxLength: 40 }), (pipeline, moves) => {
      const events = played(pipeline, moves);
      // As if snapshots were taken here: padded to the number at which one is.
      const padding = longRun(SNAPSHOT_EVERY + 1).slice(1);
      const long = [events[0]!, ...padding.slice(0, SNAPSHOT_EVERY - 10).map(harmless), ...events.slice(1)].map((e, i) => ({
        ...e,
        version: i + 1,
      }));
      const history = new RunHistory();
      history.follow(long);
      for (const version of [SNAPSHOT_EVERY + 5, long.length - 1, SNAPSHOT_EVERY, SNAPSHOT_EVERY + 2, SNAPSHOT_EVERY + 5]) {
        const wanted = Math.min(version, long.length);
        expect(history.at(wanted)).toEqual(fold(long.slice(0, wanted), emptyRun()));
      }
    }),
    { numRuns: 20 },
  );
});

/** Changes nothing but the version. */
const harmless = (e: Recorded): Recorded => ({
  ...e,
  event: { type: "FeedbackGiven", data: { attempt: "r1/none#1", step: "none", verdict: "right", by: "ann" } },
});

test("among a hundred thousand events, of which not every thousandth has a snapshot any more, each seek leads to its event", () => {
  const events = longRun(100_000).map((e, i) => (i === 0 ? e : harmless(e)));
  const history = new RunHistory();
  history.follow(events);
  for (const version of [99_999, 3, 50_001, 50_000, 64_999, 0, 100_000]) expect(history.at(version).version).toBe(version);
});

test("a time finds the last event that had happened by then", () => {
  const history = new RunHistory();
  const events = longRun(10).map((e, i) => ({ ...e, at: 1000 + i * 10 }));
  history.follow(events);
  expect(history.versionAt(999)).toBe(0);
  expect(history.versionAt(1000)).toBe(1);
  expect(history.versionAt(1029)).toBe(3);
  expect(history.versionAt(9999)).toBe(10);
});
