import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Scene } from "../../src/cli/cli.testkit.ts";
import { programOf, realAgent } from "./catalogue.ts";

const tool = (name: string, file: string) => ({
  when: { tools: [name], user: `Write ${file}` },
  turns: [
    { toolCalls: [{ name, arguments: { command: `echo hello > ${file}`, description: "write", is_background: false } }] },
    { text: `I wrote ${file}.` },
  ],
});

test("two real agents do the steps of a pipeline at the same time, through the gateway, and their files are merged", async () => {
  const agent = (preset: "gemini" | "qwen") =>
    `{ executor: acp, preset: ${preset}, command: [${JSON.stringify(programOf(realAgent(preset)))}, --acp], model: made-up/m }`;
  await using scene = new Scene({
    "stepfall.yaml": `agents:\n  gem: ${agent("gemini")}\n  qwen: ${agent("qwen")}\nproviders: { made-up: { script: answers.json } }\n`,
    "answers.json": JSON.stringify({ models: ["m"], rules: [tool("run_shell_command", "gem.txt"), tool("run_shell_command", "qwen.txt")] }),
    "pipeline.yaml": [
      "name: both",
      "steps:",
      "  gem: { prompt: Write gem.txt, agent: gem, outputs: { files: [gem.txt] } }",
      "  qwen: { prompt: Write qwen.txt, agent: qwen, outputs: { files: [qwen.txt] } }",
      "",
    ].join("\n"),
  });
  const { code, stdout, stderr } = await scene.run(["run", "pipeline.yaml", "--merge"]);
  expect(code, `${stdout}\n${stderr}`).toBe(0);
  expect(readFileSync(join(scene.project, "gem.txt"), "utf8")).toBe("hello\n");
  expect(readFileSync(join(scene.project, "qwen.txt"), "utf8")).toBe("hello\n");
});
