import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Scene } from "../../src/cli/cli.testkit.ts";
import { startScriptedModel, type ScriptedModel, type ScriptedRequest } from "../../src/models/index.ts";

/**
 * One scripted model stands in for every provider that the documents name. What a request asks for in the words `Write FILE` or
 * `Add a line to FILE` is written: by a call of the built-in agent's tool, or by the program that asked.
 */
export async function startProviders(): Promise<ScriptedModel> {
  return startScriptedModel({
    script: (request: ScriptedRequest) => {
      const word = judgement(request.messages.map(({ content }) => content).join("\n"));
      if (word !== undefined) return { text: JSON.stringify(word) };
      const file = request.messages.map(({ content }) => /(?:Write|Add a line to) ([\w.-]+\w)/.exec(content)?.[1]).find(Boolean);
      if (file === undefined) return undefined;
      if (request.toolResults > 0 || !request.tools.includes("write_file")) return { text: `scripted answer for ${file}` };
      return { toolCalls: [{ name: "write_file", arguments: { path: file, content: `// By ${request.model}: quantities count.\n` } }] };
    },
  });
}

/** What a judge says: every criterion is met, and neither of two is better. */
function judgement(asked: string): object | undefined {
  if (asked.includes("You compare two candidates")) return { reason: "they say the same", better: "tie" };
  if (!asked.includes("You judge a piece of work")) return undefined;
  const criteria = [...asked.matchAll(/^- "(.+)" \(accepted from/gm)].map(([, id]) => id);
  return { scores: criteria.map((criterion) => ({ criterion, reason: "quantities count", score: 9 })) };
}

/** Addresses that documents name, and what is there instead. Ollama, OpenAI, Anthropic and Google: see below. */
export const standsIn = (model: ScriptedModel): Readonly<Record<string, string>> => ({
  "https://models.example.com/v1": model.baseUrl,
  "http://127.0.0.1:8000/v1": model.baseUrl,
  "http://127.0.0.1:8080": model.origin,
});

export const rewriter = (table: Readonly<Record<string, string>>) => (text: string) =>
  Object.entries(table).reduce((all, [from, to]) => all.replaceAll(from, to), text);

/** The hosted providers have fixed addresses: the settings of the user, in Stepfall's folder, send them to the scripted model. */
export function sendProvidersTo(model: ScriptedModel, scene: Scene): void {
  mkdirSync(scene.home, { recursive: true });
  const provider = (url: string, protocol: string, key: string) => `{ url: "${url}", protocol: ${protocol}, key-env: ${key} }`;
  const lines = [
    // Each step is to be done by an agent that the document names.
    "catalog: false",
    "providers:",
    `  openai: ${provider(model.baseUrl, "[chat, responses]", "OPENAI_API_KEY")}`,
    `  anthropic: ${provider(model.baseUrl, "[chat, messages]", "ANTHROPIC_API_KEY")}`,
    `  gemini: ${provider(model.baseUrl, "[chat, gemini]", "GEMINI_API_KEY")}`,
  ];
  writeFileSync(join(scene.home, "config.yaml"), `${lines.join("\n")}\n`);
}
