import { expect, test } from "vitest";
import { parsePipeline } from "../../pipeline/index.ts";
import { pipeline } from "./pipeline.ts";

test("every kind of gate, and how a step climbs, can be said in TypeScript, and is what the file would be", () => {
  const made = pipeline("gates", {}, ({ agent }) => {
    agent("a", {
      prompt: "Do it",
      outputs: ["a.json"],
      escalate: { entry: "free", attempts: { free: 2 } },
      type: "fix",
      labels: ["cart"],
      gates: [
        "npm test",
        { command: "npm run lint", name: "lint", timeout: "1m" },
        { files: ["a.json"] },
        { diff: { maxFiles: 3, maxLines: 100, forbid: ["src/**"] } },
        { coverage: true },
        { schema: { files: "a.json", schema: { type: "object", required: ["maxFiles"], properties: { maxFiles: { type: "number" } } } } },
        { regression: { command: "node --test", format: "tap" }, timeout: 30 },
        { syntax: { except: ["broken/**"] } },
      ],
    });
  });
  const parsed = parsePipeline(made.toYaml(), "made.yaml");
  if (!parsed.ok) throw new TypeError(JSON.stringify(parsed.problems));
  const [step] = parsed.pipeline.steps;
  expect(step).toMatchObject({ escalate: { entry: "free", attempts: { free: 2 } }, type: "fix", labels: ["cart"] });
  expect(step?.gates.map((g) => g.kind)).toEqual(["command", "command", "files", "diff", "coverage", "schema", "regression", "syntax"]);
  expect(step?.gates[3]).toMatchObject({ mostFiles: 3, mostLines: 100, forbidden: ["src/**"] });
  expect(JSON.stringify(step?.gates[5])).toContain('"required":["maxFiles"]');
});
