import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Scene } from "../../src/cli/cli.testkit.ts";
import { startScriptedModel, type ScriptedAnswer, type ScriptedModel, type ScriptFunction } from "../../src/models/index.ts";
import { serverCommand, type ServerCommand } from "../mcp/mcp-scene.testkit.ts";
import { programOf, realAgent } from "./catalogue.ts";

/** An agent that is set up to use our MCP server as its user would, by its own command line, with its model scripted. */
export interface CallingAgent {
  preset: "claude" | "codex" | "opencode";
  /** Writes its settings into `home`, and answers how it is called. */
  set(up: { home: string; model: ScriptedModel; server: ServerCommand }): { args: string[]; env: Record<string, string> };
}

const PROMPT = "Have Stepfall run ask.yaml, and tell me what it changed.";

export const callingAgents: readonly CallingAgent[] = [
  {
    preset: "claude",
    set({ home, model, server }) {
      const config = write(home, "mcp.json", JSON.stringify({ mcpServers: { stepfall: { type: "stdio", ...server } } }));
      const name = "claude-scripted";
      return {
        args: [
          "-p",
          PROMPT,
          "--output-format",
          "stream-json",
          "--verbose",
          "--mcp-config",
          config,
          "--strict-mcp-config",
          "--allowedTools",
          "mcp__stepfall",
          "--model",
          name,
        ],
        env: {
          ANTHROPIC_BASE_URL: model.origin,
          ANTHROPIC_API_KEY: "k",
          ANTHROPIC_SMALL_FAST_MODEL: name,
          CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
          DISABLE_AUTOUPDATER: "1",
          CLAUDE_CODE_MAX_RETRIES: "0",
          MCP_TIMEOUT: "120000",
          // Else it looks tools up by a search of its own before it may call them.
          ENABLE_TOOL_SEARCH: "false",
        },
      };
    },
  },
  {
    preset: "codex",
    set({ home, model, server }) {
      const toml = (value: unknown): string => JSON.stringify(value);
      write(
        home,
        ".codex/config.toml",
        `model = "scripted"
model_provider = "loop"
approval_policy = "never"
check_for_update_on_startup = false
[model_providers.loop]
name = "loop"
base_url = ${toml(model.baseUrl)}
env_key = "LOOP_KEY"
wire_api = "responses"
[mcp_servers.stepfall]
command = ${toml(server.command)}
args = ${toml(server.args)}
startup_timeout_sec = 120
required = true
tool_timeout_sec = 120
default_tools_approval_mode = "approve"
[mcp_servers.stepfall.env]
${Object.entries(server.env)
  .map(([name, value]) => `${name} = ${toml(value)}`)
  .join("\n")}
[analytics]
enabled = false
`,
      );
      return { args: ["exec", "--json", "-s", "read-only", PROMPT], env: { CODEX_HOME: join(home, ".codex"), LOOP_KEY: "k" } };
    },
  },
  {
    preset: "opencode",
    set({ home, model, server }) {
      const config = write(
        home,
        "oc.json",
        JSON.stringify({
          autoupdate: false,
          share: "disabled",
          model: "loop/scripted",
          small_model: "loop/scripted",
          enabled_providers: ["loop"],
          provider: {
            loop: {
              npm: "@ai-sdk/openai-compatible",
              options: { baseURL: model.baseUrl, apiKey: "k" },
              models: { scripted: { name: "scripted", tool_call: true, limit: { context: 128_000, output: 8192 } } },
            },
          },
          mcp: {
            stepfall: {
              type: "local",
              command: [server.command, ...server.args],
              environment: server.env,
              enabled: true,
              timeout: 120_000,
            },
          },
        }),
      );
      return {
        args: ["run", "--format", "json", PROMPT],
        env: { OPENCODE_CONFIG: config, OPENCODE_DISABLE_MODELS_FETCH: "1", OPENCODE_DISABLE_AUTOUPDATE: "1" },
      };
    },
  },
];

/** The project whose pipeline the agent has run: an agent's step, and a question. */
export const asked = {
  "ask.yaml": `name: asking
steps:
  hello: { prompt: Write hello, outputs: [hello.txt] }
  which: { needs: hello, ask: { question: Which channel?, choices: [stable, beta] } }
  channel: { needs: which, command: "echo \${{ steps.which.output.answer }} > CHANNEL", outputs: [CHANNEL] }
`,
  "stepfall.yaml": "agents: { coder: { executor: chat, model: x/m } }\nproviders: { x: { script: script.json } }\n",
  "script.json": JSON.stringify({
    models: ["m"],
    rules: [
      {
        when: { user: "Write hello" },
        turns: [{ toolCalls: [{ name: "write_file", arguments: { path: "hello.txt", content: "hello\n" } }] }, { text: "Done." }],
      },
    ],
  }),
};

export interface Called {
  code: number | null;
  output: string;
  /** Names of the tools that its model was offered. */
  tools: readonly string[];
  /** What its model was told by tools, in order. */
  told: readonly string[];
}

/** The agent is asked for the run. Its model starts it, waits, answers when the run asks, waits again, gets the diff, and says it. */
export async function letCall(agent: CallingAgent, scene: Scene): Promise<Called> {
  let tools: readonly string[] = [];
  let told: readonly string[] = [];
  const plan = planned();
  const script: ScriptFunction = (request) => {
    if (request.tools.length === 0) return { text: "ok" };
    tools = request.tools.length > tools.length ? request.tools : tools;
    told = request.messages.filter((m) => m.role === "tool").map((m) => m.content);
    return plan(request.tools, told);
  };
  await using model = await startScriptedModel({ script });
  const home = join(scene.folder, "agent-home");
  mkdirSync(home);
  const { args, env } = agent.set({ home, model, server: serverCommand(scene) });
  const child = spawn(programOf(realAgent(agent.preset)), args, {
    cwd: scene.project,
    env: { PATH: process.env["PATH"], HOME: home, LC_ALL: "C.UTF-8", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const timer = setTimeout(() => child.kill("SIGKILL"), 220_000);
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  clearTimeout(timer);
  return { code, output, tools, told };
}

/** What the model does next, by what it was told last. */
function planned(): (tools: readonly string[], told: readonly string[]) => ScriptedAnswer {
  let run = "";
  let isAnswered = false;
  return (tools, told) => {
    const use = (name: string, input: Record<string, unknown>): ScriptedAnswer => {
      const tool = tools.includes("mcp__stepfall") ? `mcp__stepfall__${name}` : tools.find((t) => t.endsWith(name));
      return tool === undefined ? { text: `I have no tool ${name}.` } : { toolCalls: [{ name: tool, arguments: input }] };
    };
    const last = told.at(-1);
    if (last === undefined) return use("start_run", { file: "ask.yaml" });
    run ||= /"runId\\?":\\?"(\w+)/.exec(last)?.[1] ?? "";
    if (last.includes("diff --git")) return { text: `It changed CHANNEL and hello.txt.` };
    if (/status\\?":\\?"succeeded/.test(last)) return use("get_diff", { run });
    if (last.includes("which!1") && !isAnswered) {
      isAnswered = true;
      return use("answer", { item: `${run}/which!1`, text: "beta" });
    }
    return told.length > 12 ? { text: "I give up." } : use("wait_run", { run, timeout_s: 20 });
  };
}

function write(folder: string, name: string, text: string): string {
  const file = join(folder, name);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  return file;
}
