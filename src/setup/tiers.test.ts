import { expect, test } from "vitest";
import { parsePipeline } from "../pipeline/index.ts";
import { withTiers } from "./tiers.ts";

const FIVE = ["local", "tiny", "small", "large", "frontier"];

function pipeline(text: string) {
  const parsed = parsePipeline(text, "p.yaml");
  if (!parsed.ok) throw new TypeError(JSON.stringify(parsed.problems));
  return parsed.pipeline;
}
const step = "prompt: x, readonly: true";

test("a run's pipeline names tiers that the project has: aliases are gone, in groups and in escalate too", () => {
  const text = `
steps:
  a: { ${step}, agent: { tier: strong } }
  b: { ${step}, agent: { tier: tiny }, escalate: { entry: weak, ceiling: large, attempts: { base: 2 } } }
  c: { ${step}, foreach: "[1]", agent: { tier: base } }
  d: { steps: { e: { ${step}, agent: { tier: weak } } } }
  f: { command: "true", readonly: true }
`;
  const tiered = withTiers(pipeline(text), FIVE);
  const shown = JSON.stringify(tiered);
  expect(shown).not.toMatch(/weak|base|strong/);
  expect(tiered.steps.find((s) => s.path === "a")).toMatchObject({ agent: { tier: "frontier" } });
  expect(tiered.steps.find((s) => s.path === "b")).toMatchObject({
    agent: { tier: "tiny" },
    escalate: { entry: "local", ceiling: "large", attempts: { small: 2 } },
  });
  expect(tiered.steps.find((s) => s.path === "c")).toMatchObject({ body: { step: { agent: { tier: "small" } } } });
  expect(tiered.steps.find((s) => s.path === "d")).toMatchObject({ body: { pipeline: { steps: [{ agent: { tier: "local" } }] } } });
});

test.each([
  `steps: { a: { ${step}, agent: { tier: premum } } }`,
  `steps: { a: { ${step}, escalate: { ceiling: premum } } }`,
  `steps: { a: { ${step}, escalate: { attempts: { premum: 2 } } } }`,
])("a tier that the project does not have is refused with its step and what is meant: %s", (text) => {
  const refused = (): unknown => withTiers(pipeline(text), ["free", "mid", "premium"]);
  expect(refused).toThrow(expect.objectContaining({ code: "UNKNOWN_TIER", message: "step a: There is no tier `premum`" }));
  expect(refused).toThrow(expect.objectContaining({ hint: expect.stringContaining("Did you mean `premium`? Tiers: free, mid, premium") }));
});
