import fc from "fast-check";
import { expect, test } from "vitest";
import { scoreComplexity, STEP_TYPES, stepTypeOf, type ComplexityInput } from "./index.ts";

const input = fc.record({
  type: fc.constantFrom(...STEP_TYPES),
  contextTokens: fc.nat(2_000_000),
  files: fc.nat(500),
  history: fc.tuple(fc.nat(200), fc.nat(200)).map(([a, b]) => ({ tries: a + b, accepted: a })),
});
const score = (x: ComplexityInput): number => scoreComplexity(x).score;

test("a score is a whole number from 1 to 10, and its factors add up to it", () => {
  fc.assert(
    fc.property(input, (x) => {
      const { score, factors } = scoreComplexity(x);
      const sum = 1 + factors.reduce((total, f) => total + f.points, 0);
      expect(Number.isInteger(score) && score >= 1 && score <= 10).toBe(true);
      expect(score).toBe(Math.min(10, Math.max(1, Math.round(sum))));
      expect(factors.map((f) => f.name)).toEqual(["type", "context", "files", "history"]);
      for (const f of factors) expect(f.because).not.toBe("");
    }),
  );
});

test("more context, more files and more refusals never make a step easier", () => {
  fc.assert(
    fc.property(input, fc.nat(1_000_000), fc.nat(100), fc.nat(100), (x, tokens, files, refused) => {
      expect(score({ ...x, contextTokens: x.contextTokens + tokens })).toBeGreaterThanOrEqual(score(x));
      expect(score({ ...x, files: x.files + files })).toBeGreaterThanOrEqual(score(x));
      expect(score({ ...x, history: { ...x.history, tries: x.history.tries + refused } })).toBeGreaterThanOrEqual(score(x));
      const better = { tries: x.history.tries + refused, accepted: x.history.accepted + refused };
      expect(score({ ...x, history: better })).toBeLessThanOrEqual(score(x));
    }),
  );
});

test("both ends of the scale are reached", () => {
  expect(score({ type: "rename", contextTokens: 300, files: 1, history: { tries: 40, accepted: 40 } })).toBe(1);
  expect(score({ type: "migrate", contextTokens: 200_000, files: 60, history: { tries: 40, accepted: 0 } })).toBeGreaterThanOrEqual(10);
});

test("a step's type is told by its first telling word, which is named", () => {
  expect(stepTypeOf("Rename getUser to fetchUser everywhere")).toEqual({ type: "rename", because: "Rename" });
  expect(stepTypeOf("Write tests for the migration of orders")).toEqual({ type: "test", because: "tests" });
  expect(stepTypeOf("The server crashes when the body is empty. Add a check.")).toEqual({ type: "fix", because: "crashes" });
  expect(stepTypeOf("Make the list endpoint faster")).toEqual({ type: "performance", because: "faster" });
  expect(stepTypeOf("Find the race  condition in the queue").type).toBe("concurrency");
  expect(stepTypeOf("Implement pagination").type).toBe("feature");
  expect(stepTypeOf("")).toEqual({ type: "other", because: "" });
  expect(stepTypeOf("Do it")).toEqual({ type: "other", because: "" });
});

test("two words tell something together only where they stand together", () => {
  expect(stepTypeOf("Tell what speed. Up there it is slow.").type).toBe("other");
  expect(stepTypeOf("It has to speed\nup.")).toEqual({ type: "performance", because: "speed\nup" });
});

test("a word inside another tells nothing", () => {
  expect(stepTypeOf("Put it on the latest shelf").type).toBe("other");
  expect(stepTypeOf("unformatted prefixes").type).toBe("other");
});

test("at least 18 types are known, and each is told by some word", () => {
  const told = new Set(STEP_TYPES.filter((t) => t !== "other").map((t) => stepTypeOf(EXAMPLES[t] ?? "").type));
  expect(told.size).toBeGreaterThanOrEqual(18);
  for (const type of STEP_TYPES) if (type !== "other") expect(stepTypeOf(EXAMPLES[type] ?? "").type).toBe(type);
});

const EXAMPLES: Record<string, string> = {
  rename: "rename the class",
  format: "reformat src",
  comment: "Docstrings are missing in parser.py",
  translate: "Translate the messages to French",
  docs: "Update the README",
  summarize: "Summarize the thread",
  extract: "Enumerate all call sites",
  config: "Configure the linter",
  dependency: "Bump zod",
  test: "Raise coverage of the parser",
  review: "Review the change",
  research: "Investigate why users leave",
  plan: "Plan the work",
  data: "Write the SQL behind the figure",
  ui: "The button is too small",
  fix: "Repair the parser",
  feature: "Introduce pagination",
  integrate: "Connect the payment provider",
  refactor: "Restructure the parser",
  migrate: "Port it to TypeScript",
  performance: "Speed up the parser",
  security: "Harden the upload",
  concurrency: "There is a deadlock",
  design: "The architecture of the queue",
};
