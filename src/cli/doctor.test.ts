import { existsSync } from "node:fs";
import { expect, test } from "vitest";
import { Scene } from "./cli.testkit.ts";

interface Told {
  ok: boolean;
  checks: { name: string; verdict: string; detail: string; hint?: string }[];
}

const doctor = async (scene: Scene, ...args: string[]): Promise<{ code: number | null; told: Told }> => {
  const { code, values } = await scene.json("doctor", ...args);
  return { code, told: values[0] as unknown as Told };
};

test("doctor starts every agent for real, says where each setting comes from, and leaves nothing behind", async () => {
  await using scene = new Scene({
    "stepfall.yaml":
      "slots: 3\nagents: { coder: { executor: chat, model: made-up/m }, mine: { executor: shell, command: cat } }\nproviders: { made-up: { script: answers.json } }\n",
    "answers.json": '{"rules":[],"models":["m"]}',
  });
  const { code, told } = await doctor(scene);
  expect(code, JSON.stringify(told, undefined, 1)).toBe(0);
  const by = new Map(told.checks.map((c) => [c.name, c]));
  expect(by.get("slots")?.detail).toMatch(/^3 \(.*stepfall\.yaml:1\)$/);
  expect(by.get("grace")?.detail).toBe("30 s (default)");
  expect(by.get("agent coder")?.verdict).toBe("ok");
  expect(by.get("agent mine")?.verdict).toBe("ok");
  expect(by.get("gateway")?.verdict).toBe("ok");
  expect(by.get("isolation")?.detail).toMatch(/no sandbox is in force/);
  expect(existsSync(scene.home)).toBe(false);
});

test("an agent whose provider has no key, and settings that are wrong, are problems: exit 1, with what to do", async () => {
  await using scene = new Scene({ "stepfall.yaml": "agents: { coder: { executor: chat, model: openai/gpt-5-mini } }\n" });
  const first = await doctor(scene);
  expect(first.code).toBe(1);
  expect(first.told.checks.find((c) => c.name === "agent coder")).toMatchObject({
    verdict: "problem",
    detail: expect.stringMatching(/no key/) as string,
  });
  scene.write({ "stepfall.yaml": "slotz: 3\n" });
  const second = await scene.run(["doctor"]);
  expect(second.stdout).toMatch(/settings: stepfall\.yaml differs from the last commit.*\n {4}Commit it/);
  expect(second.code).toBe(1);
  expect(second.stdout).toMatch(/✗ settings: .*stepfall\.yaml:1:1 UNKNOWN_KEY: .*\n {4}Did you mean/);
});
