import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Scene } from "../../../src/cli/cli.testkit.ts";
import { presets, type PresetId } from "../../../src/agents/index.ts";
import { programOf, realAgent } from "../catalogue.ts";

test.each<[PresetId, string]>([
  ["claude", "chat"],
  ["claude", "gemini"],
  ["codex", "chat"],
  ["codex", "messages"],
  ["opencode", "messages"],
])(
  "%s works at a provider that speaks %s only",
  async (id, protocol) => {
    const agent = realAgent(id);
    const preset = presets[id];
    const command = JSON.stringify([programOf(agent), ...preset.argv.slice(1)]);
    const shell = agent.shell("echo hello > said.txt");
    await using scene = new Scene({
      "stepfall.yaml": [
        `agents: { a: { executor: ${preset.executor}, preset: ${id}, command: ${command}, model: made-up/m } }`,
        `providers: { made-up: { script: answers.json, protocol: ${protocol} } }`,
        "",
      ].join("\n"),
      "answers.json": JSON.stringify({
        models: ["m"],
        rules: [
          {
            when: { tools: [shell.name], user: "Write said.txt", dialect: protocol },
            turns: [{ text: "I write it.", toolCalls: [shell] }, { text: "I wrote it." }],
          },
          // Titles, and checks of a small model.
          { answer: { text: "ok" } },
        ],
      }),
      "pipeline.yaml": "name: one\nsteps:\n  one: { prompt: Write said.txt, agent: a, outputs: { files: [said.txt] }, retry: 1 }\n",
    });
    const { code, stdout, stderr } = await scene.run(["run", "pipeline.yaml", "--merge"]);
    expect(code, `${stdout}\n${stderr}`).toBe(0);
    expect(readFileSync(join(scene.project, "said.txt"), "utf8")).toBe("hello\n");
  },
  240_000,
);
