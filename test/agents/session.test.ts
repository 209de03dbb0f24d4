import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Scene } from "../../src/cli/cli.testkit.ts";
import { programOf, realAgent } from "./catalogue.ts";

const shell = (command: string) => ({
  toolCalls: [{ name: "run_shell_command", arguments: { command, description: "write", is_background: false } }],
});

/** A qwen that writes first.txt when it is asked, and second.txt when it hears that it was refused. */
const scene = (firstCommand: string, steps: string): Scene =>
  new Scene({
    "stepfall.yaml": [
      `agents: { qwen: { executor: acp, preset: qwen, command: [${JSON.stringify(programOf(realAgent("qwen")))}, --acp], model: made-up/m } }`,
      "providers: { made-up: { script: answers.json } }",
      "",
    ].join("\n"),
    "answers.json": JSON.stringify({
      models: ["m"],
      rules: [
        {
          when: { tools: ["run_shell_command"], user: "was refused" },
          // By the number of answers the conversation holds: one that was begun anew gets nothing done.
          turns: [
            { text: "I remember nothing." },
            { text: "I remember nothing." },
            shell("echo 2 > second.txt"),
            { text: "I wrote the second." },
          ],
        },
        { when: { tools: ["run_shell_command"], user: "Write both" }, turns: [shell(firstCommand), { text: "I wrote the first." }] },
      ],
    }),
    "pipeline.yaml": `name: session\nsteps:\n  both: { prompt: Write both, agent: qwen, outputs: { files: [second.txt] }, gates: ["test -f first.txt"], retry: 2 }\n${steps}`,
  });

test("an agent whose work is refused goes on with its conversation, in the files as it left them", async () => {
  await using s = scene("echo 1 > first.txt", "");
  const { code, stdout, stderr } = await s.run(["run", "pipeline.yaml", "--merge"]);
  expect(code, `${stdout}\n${stderr}`).toBe(0);
  // The second attempt wrote the second file only.
  expect(readFileSync(join(s.project, "first.txt"), "utf8")).toBe("1\n");
  expect(readFileSync(join(s.project, "second.txt"), "utf8")).toBe("2\n");
  expect(stderr).toContain("both#2 takes up the conversation of both#1");
  expect(stderr).not.toContain("starts anew");
});

test("when others have merged meanwhile it begins anew: its files would not be what it remembers", async () => {
  await using s = scene("sleep 3; echo 1 > first.txt", '  quick: { command: "echo q > quick.txt", outputs: { files: [quick.txt] } }\n');
  const { code, stdout, stderr } = await s.run(["run", "pipeline.yaml"]);
  expect(code, `${stdout}\n${stderr}`).toBe(1);
  expect(stderr).toContain("both#1 refused");
  expect(stderr).not.toContain("takes up the conversation");
});
