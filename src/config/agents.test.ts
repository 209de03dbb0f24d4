import { describe, expect, test } from "vitest";
import { loadConfig } from "./load.ts";

/** The agents of a stepfall.yaml with nothing else around it. */
function load(text: string) {
  const loaded = loadConfig({ env: { ANTHROPIC_API_KEY: "k" }, home: "/nowhere", projectDir: "/nowhere", projectText: text, cwd: "/" });
  return loaded.ok ? { agents: loaded.config.agents, problems: [] } : { agents: [], problems: loaded.problems };
}
const agentOf = (yaml: string) => load(`agents:\n  a: { ${yaml} }\n`).agents[0];
const problemsOf = (yaml: string) => load(`agents:\n  a: { ${yaml} }\n`).problems;

describe("agents that are programs", () => {
  test("a preset and a model are enough", () => {
    expect(agentOf("executor: acp, preset: gemini, model: gemini/gemini-3-pro")).toEqual({
      id: "a",
      executor: "acp",
      preset: "gemini",
      credentials: "metered",
      provider: "gemini",
      model: "gemini-3-pro",
      tier: "mid",
      capabilities: ["edit"],
      account: "gemini",
      env: {},
      maxOutputTokens: 32_000,
    });
    expect(agentOf("executor: cli, preset: claude, model: anthropic/claude-opus-5, tier: premium")).toMatchObject({
      executor: "cli",
      provider: "anthropic",
      tier: "premium",
    });
  });

  test("with its own login a program needs no model, and what it has is its own word for it", () => {
    const direct = agentOf("executor: cli, preset: claude, credentials: direct");
    expect(direct).toMatchObject({ credentials: "direct", account: "claude" });
    expect(direct).not.toHaveProperty("provider");
    expect(direct).not.toHaveProperty("model");
    expect(agentOf("executor: acp, preset: claude-agent-acp, credentials: direct, model: opus")).toMatchObject({
      model: "opus",
      account: "claude",
    });
  });

  test("in pass-through the login's limit counts, and the gateway knows the model", () => {
    expect(agentOf("executor: acp, preset: codex-acp, credentials: pass-through, model: openai/gpt-6")).toMatchObject({
      provider: "openai",
      model: "gpt-6",
      account: "codex",
    });
    expect(problemsOf("executor: acp, preset: codex-acp, credentials: pass-through")).toMatchObject([
      {
        code: "MISSING_KEY",
        message: expect.stringContaining("the gateway must know"),
        hint: expect.stringContaining("credentials: direct"),
      },
    ]);
  });

  test("a command stands in a preset's place, or makes a preset unnecessary", () => {
    expect(agentOf("executor: acp, command: [./agent, --acp], model: ollama/m")).toMatchObject({
      preset: "acp",
      command: ["./agent", "--acp"],
      tier: "free",
    });
    expect(agentOf("executor: acp, preset: qwen, command: [npx, qwen, --acp], model: ollama/m")).toMatchObject({ preset: "qwen" });
    expect(problemsOf("executor: acp, model: ollama/m")).toMatchObject([
      { code: "MISSING_KEY", hint: expect.stringContaining("gemini, qwen") },
    ]);
    expect(problemsOf("executor: acp, command: run me, model: ollama/m")).toMatchObject([
      { code: "WRONG_TYPE", hint: expect.stringContaining("list") },
    ]);
    expect(problemsOf("executor: acp, command: [], model: ollama/m")).toMatchObject([{ code: "BAD_VALUE" }]);
  });

  test("a program that is not known is answered with those that are", () => {
    expect(problemsOf("executor: acp, preset: gemni, model: gemini/m")).toMatchObject([
      { code: "BAD_VALUE", hint: "Did you mean `gemini`?" },
    ]);
    expect(problemsOf("executor: cli, model: gemini/m")).toMatchObject([{ code: "MISSING_KEY" }]);
    expect(problemsOf("executor: cli, preset: gemini, model: gemini/m")).toMatchObject([
      { code: "BAD_VALUE", message: expect.stringContaining("claude, codex") },
    ]);
  });

  test.each(["env: { MY_TOKEN: abc }", "env: { X: sk-literal-secret-123456789 }", "api-key: sk-literal-secret-123456789"])(
    "a literal secret is refused: %s",
    (part) => {
      const problems = problemsOf(`executor: acp, preset: qwen, model: ollama/m, ${part}`);
      expect(problems.map((p) => p.code)).toEqual(["LITERAL_SECRET"]);
      expect(JSON.stringify(problems.map((p) => [p.message, p.hint]))).not.toContain("literal-secret");
    },
  );

  test("plain variables are handed on; a number is not a text", () => {
    expect(agentOf("executor: acp, preset: qwen, model: ollama/m, env: { LOG: debug }")).toMatchObject({ env: { LOG: "debug" } });
    expect(problemsOf("executor: acp, preset: qwen, model: ollama/m, env: { N: 1 }")).toMatchObject([{ code: "WRONG_TYPE" }]);
  });

  test("what belongs to other executors is sent there", () => {
    expect(problemsOf("executor: acp, preset: qwen, model: ollama/m, maxTurns: 3")).toMatchObject([
      { code: "UNKNOWN_KEY", hint: expect.stringContaining("chat") },
    ]);
    expect(problemsOf("executor: acp, preset: qwen, model: ollama/m, login: direct")).toMatchObject([
      { hint: "Did you mean `credentials`?" },
    ]);
  });
});

describe("agents elsewhere", () => {
  test("an address is enough; a token is named, never written", () => {
    expect(agentOf("executor: http, url: 'https://agents.example/a2a'")).toMatchObject({ protocol: "a2a", tier: "mid", account: "a" });
    expect(agentOf("executor: http, url: 'http://127.0.0.1:8080', protocol: post, token-env: AGENT_TOKEN")).toMatchObject({
      protocol: "post",
      tokenEnv: "AGENT_TOKEN",
    });
    expect(problemsOf("executor: http, url: 'https://x', token: sk-literal-secret-123")).toMatchObject([
      { code: "LITERAL_SECRET", hint: expect.stringContaining("token-env") },
    ]);
  });

  test("an address elsewhere must be https", () => {
    expect(problemsOf("executor: http, url: 'http://agents.example'")).toMatchObject([{ code: "BAD_URL" }]);
  });
});
