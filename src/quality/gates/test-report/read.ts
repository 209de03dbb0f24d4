import type { TestReport } from "../../../domain/index.ts";
import { readGoTest, readJest } from "./json-reports.ts";
import { readJunit } from "./junit.ts";
import type { TestOutcomes } from "./outcomes.ts";
import { readTap } from "./tap.ts";

export type { TestOutcome, TestOutcomes } from "./outcomes.ts";

/** What a report says of each test. `undefined`: there is no report in the texts, or none that can be read. */
export function readReport(format: Exclude<TestReport, "exit-code">, texts: readonly string[]): TestOutcomes | undefined {
  try {
    return read(format, texts);
  } catch (error) {
    // Elements in elements, thousands deep, or entities without end: somebody's joke, and no report.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function read(format: Exclude<TestReport, "exit-code">, texts: readonly string[]): TestOutcomes | undefined {
  switch (format) {
    case "junit":
      return readJunit(texts);
    case "tap":
      return readTap(texts);
    case "json":
      return readJest(texts);
    case "go":
      return readGoTest(texts);
    default:
      return format satisfies never;
  }
}
