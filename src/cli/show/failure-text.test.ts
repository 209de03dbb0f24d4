import { expect, test } from "vitest";
import { ceilingIn, enoughBudget, neededNext } from "./budget-text.ts";
import { failureWord, gist, plainWords } from "./failure-text.ts";

const refused =
  "The budget step:01abc/parts/fix cannot carry this call: it may cost up to $0.0056; of $0.0030, $0 is spent and $0 reserved by calls under way.";

test("one line never ends where the output is announced; budgets are called by what they are for", () => {
  expect(gist("exit 3. Its last output:\nso\nthe reason\n")).toBe("exit 3. Its last output: the reason");
  expect(gist("exit 3")).toBe("exit 3");
  expect(plainWords(refused)).toMatch(/^The budget of step parts\/fix cannot carry/);
  expect(plainWords("its only attempt failed: The budget run:01abc cannot")).toBe("its only attempt failed: The budget of the run cannot");
  expect([failureWord("command", "agent"), failureWord("agent", "agent"), failureWord("command", "timeout")]).toEqual([
    "command",
    "agent",
    "timeout",
  ]);
});

test("the budget proposed carries the limit and all that was refused, never less than what was rounded away", () => {
  expect(ceilingIn(refused)).toBe(5_700);
  expect(ceilingIn("may cost up to $12.34;")).toBe(12_350_000);
  expect(ceilingIn("may cost up to $3;")).toBe(4_000_000);
  const failed = { attempts: [{ failure: { kind: "budget", message: refused } }] };
  expect(neededNext([failed, failed, { attempts: [] }])).toBe(11_400);
  expect(enoughBudget({ limit: 3_000, spent: 0 }, 5_700)).toBe("0.0087");
  expect(enoughBudget({ limit: 3_000, spent: 3_150 }, undefined)).toBe("0.0063");
});
