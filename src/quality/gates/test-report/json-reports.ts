import { z } from "zod";
import { OutcomeList, type TestOutcome, type TestOutcomes } from "./outcomes.ts";

/** What Jest writes with `--json`, and Vitest with `--reporter=json`. */
const JestReport = z.object({
  testResults: z.array(
    z.object({
      name: z.string().optional(),
      assertionResults: z.array(
        z.object({ ancestorTitles: z.array(z.string()).optional(), title: z.string(), status: z.string().nullish() }),
      ),
    }),
  ),
});

const jestOutcome = (status: string | null | undefined): TestOutcome =>
  status === "passed" ? "passed" : status === "failed" ? "failed" : "skipped";

/** `undefined`: none of the texts is such a report. */
export function readJest(texts: readonly string[]): TestOutcomes | undefined {
  const list = new OutcomeList();
  let isReport = false;
  for (const text of texts) {
    const parsed = JestReport.safeParse(parse(text.slice(text.indexOf("{"), text.lastIndexOf("}") + 1)));
    if (!parsed.success) continue;
    isReport = true;
    for (const { name, assertionResults } of parsed.data.testResults)
      for (const test of assertionResults) list.add([name, ...(test.ancestorTitles ?? []), test.title], jestOutcome(test.status));
  }
  return isReport ? list.outcomes : undefined;
}

/** A line of `go test -json`. */
const GoEvent = z.object({ Action: z.string(), Package: z.string(), Test: z.string().optional() });
const goOutcomes: Readonly<Record<string, TestOutcome>> = { pass: "passed", fail: "failed", skip: "skipped" };

/** What `go test -json` prints; other lines among it are passed over. `undefined`: there is no such line. */
export function readGoTest(texts: readonly string[]): TestOutcomes | undefined {
  const list = new OutcomeList();
  let isReport = false;
  for (const line of texts.flatMap((text) => text.split("\n"))) {
    if (!line.startsWith("{")) continue;
    const parsed = GoEvent.safeParse(parse(line));
    if (!parsed.success) continue;
    isReport = true;
    const outcome = goOutcomes[parsed.data.Action];
    if (outcome !== undefined && parsed.data.Test !== undefined) list.add([parsed.data.Package, parsed.data.Test], outcome);
  }
  return isReport ? list.outcomes : undefined;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
