import { existsSync } from "node:fs";
import { expect, test } from "vitest";
import { startScriptedModel, type ScriptFunction } from "../models/index.ts";
import { Scene } from "./cli.testkit.ts";

/** The small model never gets it right; the middle one does. USD per million tokens. */
const byModel: ScriptFunction = ({ model, turn, messages }) => {
  const path = /a\d\.txt/.exec(JSON.stringify(messages))?.[0] ?? "a.txt";
  const content = model === "small" ? "no\n" : "yes\n";
  return turn === 0 ? { text: "I write.", toolCalls: [{ name: "write_file", arguments: { path, content } }] } : { text: "It is done." };
};
const settings = (url: string): string => `agents:
  middle: { executor: chat, model: fake/middle, tier: mid, capabilities: [edit, web_search] }
  small: { executor: chat, model: fake/small, tier: free }
providers: { fake: { url: "${url}", prices: { small: { input: 1, output: 1 }, middle: { input: 1.2, output: 1.2 } } } }
rules: [{ when: { type: research }, use: { capability: web_search } }]
`;
const pipeline = (steps: number): string =>
  `steps:\n${Array.from({ length: steps }, (_, i) => `  fix${i}: { prompt: Fix the bug in a${i}.txt, outputs: [a${i}.txt], gates: ["grep -q yes a${i}.txt"] }\n`).join("")}`;

test("where steps would go is told with its reasons, nothing is made for it, and refused results teach where to begin", async () => {
  const model = await startScriptedModel({ script: byModel });
  await using scene = new Scene({
    "stepfall.yaml": settings(model.baseUrl),
    "p.yaml": pipeline(6),
    "look.yaml":
      "steps:\n  ask: { prompt: Research why users leave, readonly: true }\n  pin: { prompt: Rename it, agent: middle, outputs: [b.txt] }\n",
  });
  try {
    const before = await scene.json("route", "p.yaml");
    expect(before.values).toMatchObject([
      { steps: Array.from({ length: 6 }, () => ({ type: "fix", tier: "free", agents: ["small"], escalatesTo: ["middle"] })) },
    ]);
    expect(JSON.stringify(before.values)).toContain("no attempt of it is known yet");
    expect(existsSync(scene.home)).toBe(false);

    const look = await scene.run(["route", "look.yaml", "--explain"]);
    expect(look.stdout).toContain("ask: tier mid, middle");
    expect(look.stdout).toContain("rule 1 of the project (type research)");
    expect(look.stdout).toMatch(/complexity \d+ of 10/);
    for (const factor of ["type", "context", "files", "history"]) expect(look.stdout).toContain(`  ${factor}`);
    expect(look.stdout).toContain("the step names agent middle");

    const ended = await scene.run(["run", "p.yaml", "--slots", "2"]);
    expect(ended.code, ended.stderr).toBe(0);
    const after = await scene.json("route", "p.yaml");
    expect(after.values).toMatchObject([{ steps: Array.from({ length: 6 }, () => ({ tier: "mid", agents: ["middle"] })) }]);
    expect(JSON.stringify(after.values)).toContain("learnt from");
  } finally {
    await model.close();
  }
});
