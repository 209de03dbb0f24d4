import { describe, expect, test } from "vitest";
import { dayIn, fillDays, sinceDays } from "./fill-days.ts";

describe("days of a chart", () => {
  test("a day on which nothing was spent is there, at nothing", () => {
    const days = fillDays([
      { day: "2026-11-18", microUsd: 5 },
      { day: "2026-11-21", microUsd: 7 },
    ]);
    expect(days.map((d) => d.microUsd)).toEqual([5, 0, 0, 7]);
    expect(new Date(days[1]!.at).toISOString()).toBe("2026-11-19T00:00:00.000Z");
  });

  test("the days that were asked for are shown though nothing was spent in them", () => {
    const days = fillDays([{ day: "2026-11-18", microUsd: 5 }], {
      from: "2026-11-16",
      to: dayIn("Europe/Berlin", Date.UTC(2026, 10, 18, 23, 30)),
    });
    expect(days.map((d) => d.microUsd)).toEqual([0, 0, 5, 0]);
  });

  test("without a day there is nothing to draw, and a chart of many years shows the last one", () => {
    expect(fillDays([])).toEqual([]);
    expect(
      fillDays([
        { day: "2010-01-01", microUsd: 1 },
        { day: "2026-11-21", microUsd: 7 },
      ]),
    ).toHaveLength(366);
  });

  test("so many days end with today and begin at midnight: the first of them is whole", () => {
    const now = new Date(2026, 10, 22, 15, 30).getTime();
    expect(sinceDays(1, now)).toBe(new Date(2026, 10, 22).getTime());
    expect(sinceDays(7, now)).toBe(new Date(2026, 10, 16).getTime());
    expect(sinceDays(30, now)).toBe(new Date(2026, 9, 24).getTime());
    expect(sinceDays(0, now)).toBeUndefined();
    // All day long it is the same question.
    expect(sinceDays(7, now + 8 * 3_600_000)).toBe(sinceDays(7, now));
  });
});
