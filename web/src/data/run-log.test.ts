import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Recorded } from "../../../src/domain/index.ts";
import { emptyLog, hasGap, take, type RunLog } from "./run-log.ts";

const event = (version: number): Recorded => ({
  globalSeq: version * 3,
  stream: "run",
  version,
  schemaVersion: 1,
  at: version,
  actor: "engine",
  event: { type: "CancelRequested", data: {} },
});

describe("the events of a run that is looked at", () => {
  test("pages and stream in any order, with doubles, give every event once and in order", () => {
    const chunks = fc.array(fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 12 }), { maxLength: 20 });
    fc.assert(
      fc.property(chunks, (given) => {
        const log = given.reduce<RunLog>((l, versions) => take(l, versions.map(event)), emptyLog);
        const seen = new Set(given.flat());
        let whole = 0;
        while (seen.has(whole + 1)) whole += 1;
        expect(log.events.map((e) => e.version)).toEqual(Array.from({ length: whole }, (_, i) => i + 1));
        expect(hasGap(log)).toBe([...seen].some((v) => v > whole));
      }),
    );
  });

  test("what brings nothing new leaves the log as it is, so that nothing is drawn again", () => {
    const log = take(emptyLog, [event(1), event(2), event(4)]);
    expect(take(log, [event(1), event(4)])).toBe(log);
    expect(take(log, [event(5)]).events).toBe(log.events);
    expect(take(log, [event(3)]).events).toHaveLength(4);
  });
});
