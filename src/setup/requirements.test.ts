import { describe, expect, test } from "vitest";
import { loadConfig } from "../config/index.ts";
import type { AgentStep, Pipeline } from "../domain/index.ts";
import { RequestError } from "./failure.ts";
import { buildRegistry } from "./registry.ts";
import { checkRequirements } from "./requirements.ts";

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
    checkRequirements(pipeline, loaded.config, buildRegistry(loaded.config, new Map()));
    return undefined;
  } catch (error) {
    if (error instanceof RequestError) return { code: error.code, text: `${error.message} ${error.hint}` };
    throw error;
  }
}

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
    ["executor: acp, preset: gemini, model: openai/gpt-6", "speaks gemini"],
    ["executor: cli, preset: claude, model: ollama/qwen3-coder", "speaks messages"],
    ["executor: acp, preset: codex-acp, model: anthropic/claude-opus-5", "speaks responses"],
  ])("one whose provider speaks another format is refused, with both named: %s", (agent, words) => {
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
