import { expect, test } from "vitest";
import { readYaml } from "./yaml-source.ts";

/** Processor time, milliseconds: the clock on the wall also measures who else uses the machine. */
const cpuMs = (): number => process.cpuUsage().user / 1000;

const million = 1_000_000;
test.each([
  ["brackets", "[".repeat(million)],
  ["closing braces", "}".repeat(million)],
  ["nested lists", "- ".repeat(million / 2)],
  ["quotes", '"'.repeat(million)],
  ["anchors", "&a ".repeat(million / 3)],
  ["keys", Array.from({ length: 90_000 }, (_, i) => `k${i}:\n`).join("")],
  ["one key again and again", "a:\n".repeat(300_000)],
  ["lines", "\n".repeat(million)],
])("a megabyte of %s has an answer within seconds", (_, text) => {
  const start = cpuMs();
  const reading = readYaml(text, "f");
  expect(cpuMs() - start).toBeLessThan(15_000);
  expect(reading.ok || reading.problems.length > 0).toBe(true);
});
