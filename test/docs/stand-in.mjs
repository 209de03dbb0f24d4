// Stands in for an agent program that the documents' settings name, where the real one would need a login or 2 GB of packages; the real ones
// are driven by test/agents. It speaks the program's protocol, reads where its model is from where the program reads it, asks it once for each
// task when it has one, and adds a line to the file that the prompt names. Usage: stand-in.mjs claude|codex|acp NAME [ARGUMENT...]
import { appendFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";

const [kind, name, ...args] = process.argv.slice(2);
const { env } = process;
const say = (message) => process.stdout.write(`${JSON.stringify(message)}\n`);
const wanted = (condition, what) => {
  if (!condition) throw new Error(`${name}: ${what}`);
};

async function ask(url, headers, body) {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  wanted(response.ok, `${url} answers ${response.status}: ${text}`);
  return text;
}

const messages = (prompt) => [{ role: "user", content: prompt }];
const bearer = (key) => ({ authorization: `Bearer ${key}` });
const modelArgument = () => args[args.indexOf("-m") + 1];

/** The model of each, where it is told of one: nothing when it is on its own login. */
const models = {
  claude: (prompt) => {
    const { ANTHROPIC_BASE_URL: url, ANTHROPIC_API_KEY: key, ANTHROPIC_MODEL: model } = env;
    return url && ask(`${url}/v1/messages`, { "x-api-key": key }, { model, max_tokens: 100, messages: messages(prompt) });
  },
  codex: (prompt) => {
    if (!env.CODEX_HOME) return undefined;
    const config = readFileSync(join(env.CODEX_HOME, "config.toml"), "utf8");
    const value = (key) => new RegExp(`^${key} = "(.*)"$`, "m").exec(config)?.[1];
    const body = { model: value("model"), max_output_tokens: 100, input: messages(prompt) };
    return ask(`${value("base_url")}/responses`, bearer(env[value("env_key")]), body);
  },
  gemini: (prompt) => {
    if (!env.GOOGLE_GEMINI_BASE_URL) return undefined;
    const url = `${env.GOOGLE_GEMINI_BASE_URL}/v1beta/models/${modelArgument()}:generateContent`;
    const body = { contents: [{ role: "user", parts: [{ text: prompt }] }], generationConfig: { maxOutputTokens: 100 } };
    return ask(url, { "x-goog-api-key": env.GEMINI_API_KEY }, body);
  },
  opencode: (prompt) => {
    const { provider } = JSON.parse(readFileSync(env.OPENCODE_CONFIG, "utf8"));
    const { options, models: offered } = provider.stepfall;
    return chat(options.baseURL, options.apiKey, Object.keys(offered)[0], prompt);
  },
  qwen: (prompt) => chat(env.OPENAI_BASE_URL, env.OPENAI_API_KEY, modelArgument(), prompt),
  "my-agent": (prompt) => chat(env.OPENAI_BASE_URL, env.OPENAI_API_KEY, env.OPENAI_MODEL, prompt),
};
const chat = (url, key, model, prompt) =>
  ask(`${url}/chat/completions`, bearer(key), { model, max_tokens: 100, messages: messages(prompt) });

async function work(prompt, cwd) {
  await models[name](prompt);
  const file = /Add a line to (\S+\w)/.exec(prompt)?.[1];
  wanted(file, `the prompt names no file: ${prompt}`);
  appendFileSync(join(cwd, file), `// by ${name}\n`);
}

const input = async () => {
  let text = "";
  for await (const piece of process.stdin) text += piece;
  return text;
};

if (args.includes("--version")) console.log(`${name} 0.0.0 (stands in for it)`);
else if (kind === "claude") {
  wanted(args.includes("-p") && args.includes("stream-json"), `unknown arguments ${args}`);
  say({ type: "system", subtype: "init", session_id: "s-1" });
  await work(await input(), process.cwd());
  say({ type: "assistant", message: { id: "m1", model: "m", content: [{ type: "text", text: "Done." }] } });
  say({ type: "result", subtype: "success", is_error: false, result: "Done.", session_id: "s-1" });
} else if (kind === "codex") {
  wanted(args.includes("exec") && args.includes("--json"), `unknown arguments ${args}`);
  say({ type: "thread.started", thread_id: "t-1" });
  await work(await input(), process.cwd());
  say({ type: "item.completed", item: { id: "i-1", type: "agent_message", text: "Done." } });
  say({ type: "turn.completed", usage: { input_tokens: 11, cached_input_tokens: 5, output_tokens: 7 } });
} else {
  wanted(args.includes("--acp") || args.includes("acp"), `unknown arguments ${args}`);
  let cwd = "";
  const methods = {
    initialize: () => ({ protocolVersion: 1, agentInfo: { name, version: "0.0.0" }, agentCapabilities: {} }),
    "session/new": (params) => {
      ({ cwd } = params);
      return { sessionId: "s-1" };
    },
    "session/set_mode": () => ({}),
    "session/prompt": async ({ prompt }) => {
      await work(prompt.map(({ text }) => text ?? "").join("\n"), cwd);
      return { stopReason: "end_turn" };
    },
  };
  for await (const line of createInterface({ input: process.stdin })) {
    const { id, method, params } = JSON.parse(line);
    if (id === undefined || !methods[method]) continue;
    try {
      say({ jsonrpc: "2.0", id, result: await methods[method](params) });
    } catch (error) {
      say({ jsonrpc: "2.0", id, error: { code: -32603, message: error.message } });
    }
  }
}
