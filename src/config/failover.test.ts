import { expect, test } from "vitest";
import { loadConfig } from "./load.ts";

const load = (text: string, flags: { model?: string } = {}) =>
  loadConfig({ env: { OPENAI_API_KEY: "k" }, flags, home: "/nowhere", projectDir: "/nowhere", projectText: text, cwd: "/" });

function configOf(text: string, flags: { model?: string } = {}) {
  const loaded = load(text, flags);
  if (!loaded.ok) throw new Error(loaded.problems.map((p) => `${p.code} ${p.message}`).join("\n"));
  return loaded.config;
}
const problemsOf = (text: string) => {
  const loaded = load(text);
  return loaded.ok ? [] : loaded.problems.map(({ code, line, message }) => `${line} ${code} ${message}`);
};
const chainOf = (text: string, id = "a", flags: { model?: string } = {}): string[] => {
  const agent = configOf(text, flags).agents.find((a) => a.id === id);
  return agent && "chain" in agent ? (agent.chain ?? []).map((m) => `${m.provider}/${m.model}`) : [];
};
const agent = (more: string): string => `agents:\n  a: { executor: chat, model: openai/big${more} }\n`;

test("an agent's own model is asked first, then its fallbacks, local ones before the others", () => {
  expect(chainOf(agent(", fallback: [gemini/flash, ollama/coder]"))).toEqual(["openai/big", "ollama/coder", "gemini/flash"]);
  expect(chainOf(agent(", fallback: [gemini/flash, ollama/coder], prefer: given"))).toEqual(["openai/big", "gemini/flash", "ollama/coder"]);
  expect(chainOf(agent(", fallback: [gemini/flash, ollama/coder], prefer: local"))).toEqual(["ollama/coder", "openai/big", "gemini/flash"]);
  expect(chainOf(agent(", fallback: [openai/big]"))).toEqual(["openai/big"]);
  expect(chainOf(agent(""))).toEqual([]);
});

test("what the file names is for agents that name nothing of their own, and not for a model that is asked for by a flag", () => {
  const file = "fallback: [ollama/coder]\n";
  expect(chainOf(file + agent(""))).toEqual(["openai/big", "ollama/coder"]);
  expect(chainOf(file + agent(", fallback: [gemini/flash]"))).toEqual(["openai/big", "gemini/flash"]);
  expect(chainOf(file + agent(", fallback: []"))).toEqual([]);
  expect(chainOf(file, "chat", { model: "openai/small" })).toEqual([]);
  expect(chainOf(`${file}agents:\n  a: { executor: cli, preset: claude, credentials: direct }\n`)).toEqual([]);
});

test("a fallback that cannot be is refused where it stands", () => {
  expect(problemsOf(`${agent(", fallback: [nobody/m]")}fallback: [m]\n`)).toEqual([
    "2 UNKNOWN_PROVIDER There is no provider `nobody`",
    "3 BAD_MODEL `m` is not of the form provider/model",
  ]);
  expect(problemsOf("agents:\n  a: { executor: cli, preset: claude, credentials: direct, fallback: [openai/big] }\n")).toEqual([
    "2 BAD_VALUE `a` brings its own login, which no other provider takes",
  ]);
});

test("limits are waited for unless the settings say otherwise", () => {
  expect(configOf("").quota).toEqual({ onLimit: "failover", holdMs: 60_000, mostMs: 6 * 3_600_000 });
  expect(configOf("quota: { on-limit: wait, hold: 5s, most: 1d }").quota).toEqual({ onLimit: "wait", holdMs: 5_000, mostMs: 86_400_000 });
  expect(configOf("quota: off").quota).toBeUndefined();
  for (const bad of ["quota: { on-limit: never }", "quota: { hold: soon }", "quota: maybe", "quota: { waits: 3 }"])
    expect(problemsOf(bad), bad).toHaveLength(1);
});
