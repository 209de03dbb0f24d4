import { expect, test } from "vitest";
import { stepfallHome } from "./home.ts";

test("STEPFALL_HOME wins; relative ones start at the working folder, `~` at HOME", () => {
  expect(stepfallHome({ STEPFALL_HOME: "/x/y", HOME: "/h" })).toBe("/x/y");
  expect(stepfallHome({ STEPFALL_HOME: "y", HOME: "/h" }, "/work")).toBe("/work/y");
  expect(stepfallHome({ STEPFALL_HOME: "~/y", HOME: "/h" })).toBe("/h/y");
});

test("otherwise it is the platform's data folder of the environment passed in, not of the process", () => {
  expect(stepfallHome({ HOME: "/h" }, "/", "linux")).toBe("/h/.local/share/stepfall");
  expect(stepfallHome({ HOME: "/h", XDG_DATA_HOME: "/d" }, "/", "linux")).toBe("/d/stepfall");
  expect(stepfallHome({ HOME: "/h", XDG_DATA_HOME: "relative" }, "/", "linux")).toBe("/h/.local/share/stepfall");
  expect(stepfallHome({ HOME: "/h", STEPFALL_HOME: "" }, "/", "darwin")).toBe("/h/Library/Application Support/stepfall");
});
