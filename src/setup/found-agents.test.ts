import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadConfig } from "../config/index.ts";
import { HOSTED_MODELS, type LocalListing } from "../models/index.ts";
import { parsePipeline } from "../pipeline/index.ts";
import { addFound, mayBeFound, whyNotFound, withFound } from "./found-agents.ts";
import { knownModels } from "./known-models.ts";
import { buildRegistry } from "./registry.ts";

const KEYS = { ANTHROPIC_API_KEY: "a-key-of-anthropic", OPENAI_API_KEY: "a-key-of-openai", GEMINI_API_KEY: "a-key-of-gemini" };
const noServer = new Map<string, LocalListing>();

function config(text = "", env: Record<string, string> = {}, flags = {}) {
  const loaded = loadConfig({ env, flags, home: "/nowhere", projectText: text, catalogByDefault: true, mayBeFound });
  if (!loaded.ok) throw new TypeError(JSON.stringify(loaded.problems));
  return loaded.config;
}
const ids = (c: { agents: readonly { id: string }[] }): string[] => c.agents.map((a) => a.id);

describe("agents of keys that are set", () => {
  test("with no key, no server and no program there is none, as before", () => {
    expect(addFound(config(), "", noServer)).toMatchObject({ agents: [] });
  });

  test("each model of a vendor whose key is there is an agent, the cheapest first", () => {
    const found = addFound(config("", { ANTHROPIC_API_KEY: "a-key-of-anthropic" }), "", noServer);
    expect(ids(found)).toEqual(["claude-haiku-4-5", "claude-sonnet-5", "claude-opus-5-5", "claude-fable-5-1"]);
    expect(found.agents[1]).toMatchObject({
      executor: "chat",
      provider: "anthropic",
      model: "claude-sonnet-5",
      tier: "mid",
      account: "anthropic",
    });
    expect(found.origins["agents.claude-haiku-4-5"]).toEqual({ kind: "found", by: "key", name: "ANTHROPIC_API_KEY" });
    expect(addFound(config("", KEYS), "", noServer).agents).toHaveLength(HOSTED_MODELS.length);
  });

  test("what an agent says it can do is what it passes on: no pictures, no search of a vendor", () => {
    const capabilities = new Set(addFound(config("", KEYS), "", noServer).agents.flatMap((a) => a.capabilities));
    expect([...capabilities].sort()).toEqual(["edit", "long_context"]);
  });

  test("those of the settings come first, and an id that they use is theirs", () => {
    const text = "catalog: true\nagents: { mine: { executor: shell, command: x }, claude-haiku-4-5: { executor: shell, command: y } }";
    const found = addFound(config(text, { ANTHROPIC_API_KEY: "a-key-of-anthropic" }), "", noServer);
    expect(ids(found)).toEqual(["mine", "claude-haiku-4-5", "claude-sonnet-5", "claude-opus-5-5", "claude-fable-5-1"]);
    expect(found.agents[1]?.executor).toBe("shell");
    expect(buildRegistry(found, new Map()).get("claude-opus-5-5")).toMatchObject({ tier: "premium", model: "anthropic/claude-opus-5-5" });
  });

  test("there is none with `catalog: false`, nor beside a model that a person named", () => {
    expect(ids(addFound(config("catalog: false", KEYS), "", noServer))).toEqual([]);
    expect(ids(addFound(config("", KEYS, { model: "openai/gpt-5-mini" }), "", noServer))).toEqual(["chat"]);
  });

  test("a server that took a vendor's name has its own models, which nobody knows", () => {
    const env = { ...KEYS, OPENAI_BASE_URL: "https://models.example.com/v1" };
    expect(ids(addFound(config("", env), "", noServer)).filter((id) => id.startsWith("gpt"))).toEqual([]);
    expect(knownModels(config("", env), noServer).filter((m) => m.provider === "openai")).toEqual([]);
  });

  test("in a project with five tiers they are at the same places", () => {
    const found = addFound(config("tiers: [local, tiny, small, large, frontier]", KEYS), "", noServer);
    expect(new Set(found.agents.map((a) => a.tier))).toEqual(new Set(["small", "frontier"]));
  });
});

describe("agents of programs that are installed", () => {
  const folder = mkdtempSync(join(tmpdir(), "stepfall-found-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  beforeAll(() => {
    for (const name of ["claude", "codex", "qwen"]) {
      writeFileSync(join(folder, name), "#!/bin/sh\n");
      chmodSync(join(folder, name), 0o755);
    }
  });

  test("each is on a model that speaks what it speaks, with our key", () => {
    const found = addFound(config("", { ANTHROPIC_API_KEY: "a-key-of-anthropic" }), folder, noServer);
    const programs = new Map(found.agents.filter((a) => a.executor !== "chat").map((a) => [a.id, a]));
    expect([...programs.keys()].sort()).toEqual(["claude", "qwen"]);
    const common = { credentials: "metered", provider: "anthropic", model: "claude-sonnet-5", tier: "mid" };
    expect(programs.get("claude")).toMatchObject({ executor: "cli", ...common });
    expect(programs.get("qwen")).toMatchObject({ executor: "acp", ...common });
    expect(whyNotFound("codex", config())).toMatch(/^needs codex in the PATH/);
  });

  test("without a key for what they speak there is none, and one that the settings use is not there twice", () => {
    expect(ids(addFound(config(), folder, noServer))).toEqual([]);
    const text = "catalog: true\nagents: { mine: { executor: cli, preset: claude, credentials: direct } }";
    expect(ids(addFound(config(text, { ANTHROPIC_API_KEY: "a-key-of-anthropic" }), folder, noServer))).not.toContain("claude");
  });
});

describe("agents of a local server", () => {
  const asked: string[] = [];
  const server = createServer((req, res) => {
    asked.push(`${req.method} ${req.url}`);
    const send = (value: unknown): void => void res.setHeader("content-type", "application/json").end(JSON.stringify(value));
    if (req.url === "/v1/models")
      return send({ data: ["qwen3-coder:30b", "plain:1b", "nomic-embed-text"].map((id) => ({ id, object: "model" })) });
    let body = "";
    req.on("data", (chunk: Buffer) => (body += chunk.toString()));
    req.on("end", () => send({ capabilities: body.includes("qwen3") ? ["completion", "tools"] : ["completion"] }));
  });
  let env: Record<string, string>;
  beforeAll(async () => {
    await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
    env = { OLLAMA_HOST: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
  });
  afterAll(() => new Promise((resolve) => void server.close(resolve)));
  const pipeline = (step: string) => {
    const parsed = parsePipeline(`steps: { a: { ${step}, readonly: true } }`, "p");
    if (!parsed.ok) throw new TypeError(JSON.stringify(parsed.problems));
    return { pipeline: parsed.pipeline };
  };

  test("nobody asks it when no step could be given to one of its models", async () => {
    const settings = config("catalog: true\nagents: { mine: { executor: shell, command: x } }\ndefault-agent: mine", env);
    for (const step of ["command: x", "prompt: x", "prompt: x, agent: mine"])
      expect(ids(await withFound({ env }, settings, pipeline(step)))).toEqual(["mine"]);
    expect(ids(await withFound({ env }, config("", env, { model: "ollama/m" }), pipeline("prompt: x")))).toEqual(["chat"]);
    expect(asked).toEqual([]);
  });

  test("its models that call tools are agents of the first tier, and it is asked once", async () => {
    const found = await withFound({ env }, config("", env), pipeline("prompt: x"));
    expect(found.agents).toMatchObject([{ id: "ollama-qwen3-coder-30b", model: "qwen3-coder:30b", tier: "free", account: "ollama" }]);
    const before = asked.length;
    await withFound({ env }, config("", env), pipeline("prompt: y, agent: { tier: weak }"));
    expect(asked).toHaveLength(before);
    expect(asked.filter((a) => a.startsWith("GET"))).toHaveLength(1);
    expect(asked.filter((a) => a.startsWith("POST /api/show"))).toHaveLength(2);
  });

  test("a server that is not there leaves its run's agents as they were recorded", async () => {
    const gone = { OLLAMA_HOST: "http://127.0.0.1:9" };
    const recorded = [
      { id: "ollama-m", tier: "free", executor: "chat", model: "ollama/m" },
      { id: "claude-haiku-4-5", tier: "mid", executor: "chat", model: "anthropic/claude-haiku-4-5" },
    ];
    const found = await withFound({ env: gone }, config("", gone), { ...pipeline("prompt: x"), recorded });
    expect(found.agents).toMatchObject([{ id: "ollama-m", provider: "ollama", model: "m", tier: "free" }]);
  });

  test("a default agent that could be found and was not is refused with what it needs", async () => {
    const settings = config("default-agent: claude-haiku-4-5", { OLLAMA_HOST: "http://127.0.0.1:9" });
    await expect(withFound({ env: {} }, settings, pipeline("prompt: x"))).rejects.toMatchObject({
      code: "AGENT_NOT_READY",
      message: expect.stringContaining("needs ANTHROPIC_API_KEY") as string,
    });
  });
});
