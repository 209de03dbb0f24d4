import { expect, test } from "vitest";
import { zoneOf } from "../../control/index.ts";

test("a day is the person's day, not the one of UTC", () => {
  const at = Date.UTC(2026, 2, 1, 1, 30);
  expect(zoneOf("UTC").dayOf(at)).toBe("2026-03-01");
  expect(zoneOf("America/New_York").dayOf(at)).toBe("2026-02-28");
  expect(zoneOf("Asia/Tokyo")).toMatchObject({ name: "Asia/Tokyo" });
});
