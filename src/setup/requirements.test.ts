import { describe, expect, test } from "vitest";
import { loadConfig } from "../config/index.ts";
import type { AgentStep, Pipeline } from "../domain/index.ts";
import { RequestError } from "./failure.ts";
import { buildRegistry } from "./registry.ts";
import { checkRequirements, missed } from "./requirements.ts";
import { routingFor } from "./routing.ts";

const step: AgentStep = {
  kind: "agent",
  path: "sum",
  prompt: "add sum",
  agent: { id: "a", capability: [] },
  needs: [],
  readonly: true,
  outputs: { files: [] },
  gates: [],
  setup: [],
  retry: { attempts: 1, backoffMs: 0 },
  timeoutMs: 60_000,
  env: {},
  touches: [],
  priority: 0,
};
const pipeline: Pipeline = { name: "p", steps: [step] };

/** What is wrong with an agent of the settings before anything is started; `undefined`: nothing. */
function refusal(
  agent: string,
  providers = "{}",
  env: Record<string, string> = { ANTHROPIC_API_KEY: "k", OPENAI_API_KEY: "k", GEMINI_API_KEY: "k" },
) {
  const projectText = `agents:\n  a: { ${agent} }\nproviders: ${providers}\n`;
  const loaded = loadConfig({ env, home: "/nowhere", projectDir: "/nowhere", projectText });
  if (!loaded.ok) throw new TypeError(JSON.stringify(loaded.problems));
  try {
    const registry = buildRegistry(loaded.config, new Map());
    checkRequirements(pipeline, loaded.config, { registry, routing: routingFor(loaded.config) });
    return undefined;
  } catch (error) {
    if (error instanceof RequestError) return { code: error.code, text: `${error.message} ${error.hint}` };
    throw error;
  }
}

test("a run does without found agents that do not start, as long as another may do each step; never without the settings' own", () => {
  const found = { ids: ["x", "y", "z"], byStep: [["own"], ["x", "y"], ["z"]] };
  const needed = { first: ["own", "x", "y", "z"], later: ["up"], found };
  const without = (...failed: string[]) => missed(needed, new Set(failed));
  expect(without()).toEqual([]);
  expect(without("x", "up")).toEqual([]);
  expect(without("x", "y")).toEqual(["x", "y"]);
  expect(without("z")).toEqual(["z"]);
  expect(without("own", "x")).toEqual(["own"]);
  expect(missed({ first: ["own"], later: [] }, new Set(["own"]))).toEqual(["own"]);
});

describe("before a run is created", () => {
  test.each([
    "executor: acp, preset: gemini, model: gemini/gemini-3-pro",
    "executor: acp, preset: claude-agent-acp, model: anthropic/claude-opus-5",
    "executor: cli, preset: codex, model: openai/gpt-6",
    "executor: acp, preset: qwen, model: anthropic/claude-opus-5",
  ])("an agent whose provider speaks what it speaks is right: %s", (agent) => {
    expect(refusal(agent)).toBeUndefined();
  });

  test.each([
    "executor: acp, preset: gemini, model: openai/gpt-6",
    "executor: cli, preset: claude, model: ollama/qwen3-coder",
    "executor: acp, preset: codex-acp, model: anthropic/claude-opus-5",
  ])("one whose provider speaks another format is right too, since the gateway translates: %s", (agent) => {
    expect(refusal(agent)).toBeUndefined();
  });

  test.each([
    ["executor: acp, preset: gemini, credentials: pass-through, model: openai/gpt-6", "speaks gemini"],
    ["executor: cli, preset: claude, credentials: pass-through, model: ollama/qwen3-coder", "speaks messages"],
  ])("with a login of its own nothing is translated, and both formats are named: %s", (agent, words) => {
    expect(refusal(agent)).toMatchObject({ code: "PROTOCOL_MISMATCH", text: expect.stringContaining(words) });
  });

  test("a provider that says it speaks more is believed", () => {
    const providers = "{ mine: { url: 'http://127.0.0.1:9/v1', local: true, protocol: [chat, responses] } }";
    expect(refusal("executor: cli, preset: codex, model: mine/m", providers)).toBeUndefined();
  });

  test("a key is needed where ours is used, and only there", () => {
    expect(refusal("executor: cli, preset: claude, model: anthropic/claude-opus-5", "{}", {})).toMatchObject({
      code: "PROVIDER_NOT_READY",
    });
    expect(refusal("executor: cli, preset: claude, credentials: pass-through, model: anthropic/claude-opus-5", "{}", {})).toBeUndefined();
    expect(refusal("executor: cli, preset: claude, credentials: direct", "{}", {})).toBeUndefined();
  });

  test("credentials that a program cannot work with are refused with the reason", () => {
    expect(refusal("executor: acp, preset: copilot, credentials: pass-through, model: openai/gpt-6")).toMatchObject({
      code: "CREDENTIALS_UNSUPPORTED",
      text: expect.stringContaining("metered or direct"),
    });
  });

  test("an agent elsewhere whose token is not set is refused by the token's name", () => {
    expect(refusal("executor: http, url: 'https://x.example', token-env: AGENT_TOKEN")).toMatchObject({
      text: expect.stringContaining("AGENT_TOKEN"),
    });
    expect(refusal("executor: http, url: 'https://x.example', token-env: AGENT_TOKEN", "{}", { AGENT_TOKEN: "t" })).toBeUndefined();
  });
});
