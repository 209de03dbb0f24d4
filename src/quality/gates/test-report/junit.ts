import { XMLParser } from "fast-xml-parser";
import { z } from "zod";
import { OutcomeList, type TestOutcomes } from "./outcomes.ts";

/** JUnit's XML as its many writers agree on it: suites in suites, cases with a `failure`, an `error` or a `skipped` inside. */
interface Suite {
  name?: string | undefined;
  testsuite?: Suite[] | undefined;
  testcase?: Case[] | undefined;
}
const Case = z.looseObject({ name: z.string().optional(), classname: z.string().optional(), status: z.string().optional() });
type Case = z.infer<typeof Case>;
const Suite: z.ZodType<Suite> = z.lazy(() =>
  z.object({ name: z.string().optional(), testsuite: z.array(Suite).optional(), testcase: z.array(Case).optional() }),
);
const Report = z.object({
  testsuites: z.union([Suite, z.literal("")]).optional(),
  testsuite: z.array(Suite).optional(),
});

const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: "",
  parseTagValue: false,
  parseAttributeValue: false,
  isArray: (name) => name === "testsuite" || name === "testcase",
});

/** `undefined`: it is no report of JUnit's form. */
export function readJunit(texts: readonly string[]): TestOutcomes | undefined {
  const list = new OutcomeList();
  let isReport = false;
  for (const text of texts) {
    const parsed = Report.safeParse(parse(text));
    if (!parsed.success) continue;
    const { testsuites, testsuite } = parsed.data;
    if (testsuites === undefined && testsuite === undefined) continue;
    isReport = true;
    for (const suite of [...(testsuites ? [testsuites] : []), ...(testsuite ?? [])]) collect(suite, undefined, list);
  }
  return isReport ? list.outcomes : undefined;
}

function parse(text: string): unknown {
  try {
    return parser.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function collect(suite: Suite, around: string | undefined, list: OutcomeList): void {
  const name = suite.name ?? around;
  for (const test of suite.testcase ?? []) {
    const isFailed = "failure" in test || "error" in test;
    list.add(
      [test.classname ?? name, test.name],
      isFailed ? "failed" : "skipped" in test || test.status === "skipped" ? "skipped" : "passed",
    );
  }
  for (const inner of suite.testsuite ?? []) collect(inner, name, list);
}
