import { expect, test } from "vitest";
import { loadConfig } from "../config/index.ts";
import { isGatewayAgent } from "./registry.ts";
import { translationsOf } from "./wire-formats.ts";

/** What doctor says of an agent of the settings. */
function said(agent: string): string[] {
  const providers =
    "{ like: { url: 'http://127.0.0.1:9/v1', protocol: messages }, both: { url: 'http://127.0.0.1:9/v1', protocol: [chat, messages] } }";
  const projectText = `agents:\n  a: { ${agent} }\nproviders: ${providers}\n`;
  const loaded = loadConfig({ env: {}, home: "/nowhere", projectDir: "/nowhere", projectText });
  if (!loaded.ok) throw new TypeError(JSON.stringify(loaded.problems));
  const [made] = loaded.config.agents;
  if (!made || !isGatewayAgent(made)) throw new TypeError("no agent of the gateway's");
  return translationsOf(made, loaded.config);
}

test("an agent that is translated for is named with both formats, and for which of its models", () => {
  expect(said("executor: chat, model: like/m")).toEqual(["translated from chat to messages"]);
  expect(said("executor: acp, preset: gemini, model: openai/gpt-6")).toEqual(["translated from gemini to responses"]);
  expect(said("executor: chat, model: both/m")).toEqual([]);
  expect(said("executor: acp, preset: qwen, model: like/m, fallback: [both/m]")).toEqual(["translated from chat to messages for like/m"]);
  expect(said("executor: cli, preset: claude, credentials: pass-through, model: like/m")).toEqual([]);
});
