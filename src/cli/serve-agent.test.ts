import { expect, test } from "vitest";
import { Scene } from "./cli.testkit.ts";

const script = {
  rules: [
    {
      turns: [
        { toolCalls: [{ name: "write_file", arguments: { path: "served.txt", content: "from far away\n" } }] },
        { text: "Wrote served.txt" },
      ],
    },
  ],
};

test("an agent that one Stepfall offers over A2A does a step of another, and its file is found merged", async () => {
  await using far = new Scene({
    "stepfall.yaml": "agents: { coder: { executor: chat, model: made-up/m } }\nproviders: { made-up: { script: answers.json } }\n",
    "answers.json": JSON.stringify(script),
  });
  const token = "a-token-of-thirty-two-characters";
  const server = far.start(["serve-agent", "coder", "--token-env", "FAR_TOKEN", "--json"], { env: { FAR_TOKEN: token } });
  let printed = "";
  server.child.stdout?.on("data", (text: string) => (printed += text));
  await server.said("is offered over A2A");
  while (!printed.includes("\n")) await new Promise((resolve) => setTimeout(resolve, 20));
  const { url } = JSON.parse(printed) as { url: string };

  await using near = new Scene({
    "stepfall.yaml": `agents: { far: { executor: http, protocol: a2a, url: "${url}", token-env: FAR_TOKEN } }\n`,
    "p.yaml": "steps: { work: { prompt: Write served.txt, outputs: [served.txt], retry: 1 } }\n",
  });
  const ended = await near.run(["run", "p.yaml", "--json"], { env: { FAR_TOKEN: token } });
  expect(ended.code, ended.stdout + ended.stderr).toBe(0);
  const branch = near.git("branch", "--list", "stepfall/*", "--format=%(refname:short)");
  expect(near.git("show", `${branch}:served.txt`)).toBe("from far away");
  expect(ended.stdout + ended.stderr).not.toContain(token);

  server.child.kill("SIGINT");
  expect((await server.ended).code).toBe(0);
});

test("serve-agent says what is wrong before it listens", async () => {
  await using scene = new Scene();
  for (const [args, words] of [
    [["serve-agent", "ghost"], "there is no agent ghost"],
    [["serve-agent", "ghost", "--port", "x"], "is not a port"],
    [["serve-agent", "ghost", "--token-env", "UNSET"], "$UNSET is not set"],
  ] as const) {
    const ended = await scene.run(args);
    expect(ended.code).toBe(2);
    expect(ended.stderr).toContain(words);
  }
});
