import { expect, test } from "vitest";
import { loadConfig } from "./index.ts";

const load = (projectText: string, env: Record<string, string> = {}) =>
  loadConfig({ env, home: "/nowhere/home", projectDir: "/p", projectText });

const provider = (id: string, projectText = "", env: Record<string, string> = {}) => {
  const loaded = load(projectText, env);
  return loaded.ok ? loaded.config.providers.find((p) => p.id === id) : loaded.problems;
};

test("the vendors speak their own format beside the common one, each at its own address", () => {
  expect(provider("openai")).toMatchObject({ bases: { chat: "https://api.openai.com/v1", responses: "https://api.openai.com/v1" } });
  expect(provider("anthropic")).toMatchObject({ bases: { messages: "https://api.anthropic.com/v1" }, protocols: ["chat", "messages"] });
  expect(provider("gemini")).toMatchObject({
    bases: {
      chat: "https://generativelanguage.googleapis.com/v1beta/openai",
      gemini: "https://generativelanguage.googleapis.com/v1beta",
    },
  });
  expect(provider("ollama")).toMatchObject({ protocols: ["chat"] });
});

test("another server under OpenAI's name speaks chat, and more only when the settings say so", () => {
  const env = { OPENAI_BASE_URL: "http://127.0.0.1:9/v1/" };
  expect(provider("openai", "", env)).toMatchObject({ protocols: ["chat"], bases: { chat: "http://127.0.0.1:9/v1" } });
  expect(provider("openai", "providers: { openai: { protocol: [chat, responses] } }", env)).toMatchObject({
    bases: { chat: "http://127.0.0.1:9/v1", responses: "http://127.0.0.1:9/v1" },
  });
});

test("a provider of the settings speaks what they say, at its url", () => {
  const url = "http://127.0.0.1:1/v1";
  expect(provider("x", `providers: { x: { url: '${url}' } }`)).toMatchObject({ protocols: ["chat"], bases: { chat: url } });
  expect(provider("x", `providers: { x: { url: '${url}', protocol: messages } }`)).toMatchObject({ bases: { messages: url } });
  expect(provider("x", `providers: { x: { url: '${url}', protocol: [chat, responses, chat] } }`)).toMatchObject({
    protocols: ["chat", "responses"],
    bases: { chat: url, responses: url },
  });
  expect(provider("x", `providers: { x: { url: '${url}', protocol: soap } }`)).toMatchObject([{ code: "BAD_VALUE" }]);
});

test("a scripted model speaks all four, and has no address before it runs", () => {
  expect(provider("s", "providers: { s: { script: ./a.json } }")).toMatchObject({
    protocols: ["chat", "responses", "messages", "gemini"],
    bases: {},
  });
});

test("a price may say what cache writes cost", () => {
  expect(
    provider("x", "providers: { x: { url: 'http://h/v1', prices: { m: { input: 1, cache-write: 1.25, output: 2 } } } }"),
  ).toMatchObject({
    prices: { m: { input: 1_000_000, cachedInput: 1_000_000, cacheWrite: 1_250_000, output: 2_000_000 } },
  });
});
