import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Scene } from "../../src/cli/cli.testkit.ts";
import { programOf, realAgent } from "./catalogue.ts";

/** Answers requests of one format only. */
const model = (dialect: string, file: string): string =>
  JSON.stringify({
    models: ["m"],
    rules: [
      {
        when: { dialect, tools: ["run_shell_command"], user: `Write ${file}` },
        turns: [
          {
            text: "I write it.",
            toolCalls: [
              { name: "run_shell_command", arguments: { command: `echo hello > ${file}`, description: "write", is_background: false } },
              { name: "run_shell_command", arguments: { command: `echo more > more-${file}`, description: "write", is_background: false } },
            ],
          },
          { text: `I wrote ${file}.` },
        ],
      },
    ],
  });

test("real agents work at providers that do not speak their format, and what was asked and answered is billed", async () => {
  const agent = (preset: "gemini" | "qwen", provider: string) =>
    `{ executor: acp, preset: ${preset}, command: [${JSON.stringify(programOf(realAgent(preset)))}, --acp], model: ${provider}/m }`;
  await using scene = new Scene({
    "stepfall.yaml": [
      `agents:\n  gem: ${agent("gemini", "open")}\n  qwen: ${agent("qwen", "anthropic-like")}`,
      "providers:",
      "  open: { script: open.json, protocol: chat, prices: { m: { input: 1, output: 2 } } }",
      "  anthropic-like: { script: like.json, protocol: messages, prices: { m: { input: 1, output: 2 } } }",
      "",
    ].join("\n"),
    "open.json": model("chat", "gem.txt"),
    "like.json": model("messages", "qwen.txt"),
    "pipeline.yaml": [
      "name: both",
      "budget: 1",
      "steps:",
      "  gem: { prompt: Write gem.txt, agent: gem, outputs: { files: [gem.txt, more-gem.txt] } }",
      "  qwen: { prompt: Write qwen.txt, agent: qwen, outputs: { files: [qwen.txt, more-qwen.txt] } }",
      "",
    ].join("\n"),
  });
  const { code, stdout, stderr } = await scene.run(["run", "pipeline.yaml", "--merge"]);
  expect(code, `${stdout}\n${stderr}`).toBe(0);
  for (const name of ["gem", "qwen"]) expect(readFileSync(join(scene.project, `more-${name}.txt`), "utf8")).toBe("more\n");
  const cost = await scene.run(["cost", "--json"]);
  const { rows } = JSON.parse(cost.stdout) as { rows: { provider: string; calls: number; provenance: string }[] };
  for (const provider of ["open", "anthropic-like"])
    expect(rows.find((row) => row.provider === provider)).toMatchObject({ provenance: "reported" });
}, 180_000);
