import { expect, test } from "vitest";
import { loadConfig } from "./load.ts";

const agentOf = (keys: string) => {
  const projectText = `providers:\n  local: { url: "http://127.0.0.1:1/v1" }\nagents:\n  a: { executor: chat, model: local/m${keys} }\n`;
  const loaded = loadConfig({ env: {}, home: "/nowhere", projectDir: "/nowhere", projectText, cwd: "/" });
  return loaded.ok ? loaded.config.agents[0] : loaded.problems;
};

test("a chat agent has tools unless its settings say that its model calls none", () => {
  expect(agentOf(", tools: false")).toMatchObject({ executor: "chat", tools: false });
  expect(agentOf(", tools: true")).not.toHaveProperty("tools");
  expect(agentOf("")).not.toHaveProperty("tools");
  expect(agentOf(", tools: none")).toMatchObject([{ message: expect.stringContaining("tools") as string }]);
});
