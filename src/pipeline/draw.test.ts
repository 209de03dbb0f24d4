import { expect, test } from "vitest";
import { parsePipeline, pipelineGraph, toMermaid, toText, type StepGraph } from "./index.ts";
import { WHOLE } from "./whole.testdata.ts";

const graphOf = (text: string): StepGraph => {
  const parsed = parsePipeline(text, "f.yaml");
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return pipelineGraph(parsed.pipeline);
};

test("a step stands in the layer after the last it needs, with what decides whether it runs", () => {
  const text = toText(graphOf(WHOLE));
  expect(text).toContain("3  docs     agent    after 2, fix; coder");
  expect(text).toContain("6  alarm    command  on failure of fix, 2, docs, each, builds, ship, best, which");
  expect(text).toContain("     2  until  command  after build; may fail");
  for (const line of text.split("\n")) expect(line.length).toBeLessThanOrEqual(80);
});

test("nothing a pipeline says is read as Mermaid or HTML", () => {
  const drawn = toMermaid(
    graphOf(
      `steps: { a: { ask: { question: q, choices: ['"] --> x["<b>', 'end;%%{init}%%'] } }, b: { command: x, readonly: true, needs: a } }`,
    ),
  );
  expect(drawn.split("\n")).toEqual([
    "flowchart TD",
    '  s0{"a<br/>ask<br/>#34;#93; --#62; x#91;#34;#60;b#62; #124; end#59;#37;#37;#123;init#125;#37;#37;"}',
    '  s1[["b<br/>command"]]',
    "  s0 --> s1",
    "",
  ]);
});
