import type { CredentialMode } from "../../domain/index.ts";

/** Wire formats of model endpoints: OpenAI chat completions, OpenAI responses, Anthropic messages, Gemini. */
export type WireFormat = "chat" | "responses" | "messages" | "gemini";

export type PresetId =
  | "gemini"
  | "qwen"
  | "opencode"
  | "claude-agent-acp"
  | "codex-acp"
  | "copilot"
  | "claude"
  | "codex"
  /** Any other program that speaks ACP on stdio and OpenAI's chat format to its model; it has no command of its own. */
  | "acp";

/** What an agent is set up from. */
export interface SetupInput {
  mode: CredentialMode;
  /** The gateway's base (`.../v1`) and the attempt's own key, as `ExecutionContext.gateway` has them. Absent in `direct` mode. */
  gateway?: { url: string; key: string } | undefined;
  /**
   * The model to ask for: the gateway's name for it when metered, else the provider's own. Absent: the agent's default, which only
   * an agent with its own login has.
   */
  model?: string | undefined;
  /** Its HOME: files are written below it when metered, never else. */
  home: string;
  /** The tools of its run: their address, and a folder of the attempt's own for a file that names it, in any mode. Absent: it gets none. */
  mcp?: { url: string; folder: string } | undefined;
  /** The step lets it do everything without leave. Absent: it does not. */
  isFree?: boolean | undefined;
}

/** What is added to the agent's environment and command line, and what must be on disk before it starts. */
export interface AgentSetup {
  /** Appended to `argv` of the preset, before what the executor adds. */
  args: readonly string[];
  env: Readonly<Record<string, string>>;
  /** Absolute paths below `home`, and `mcp.folder`. Empty unless metered, but for those of `mcp`. */
  files: readonly { path: string; content: string }[];
  /** The tools of its run are among it. Absent: an ACP session is to name them. */
  hasMcp?: true;
}

/** A program that people have, and how it is made to work through the gateway. A value: it starts and writes nothing. */
export interface AgentPreset {
  id: PresetId;
  /** For people. */
  name: string;
  /** The protocol it is driven by: ACP on stdio, or its own command line and output. */
  executor: "acp" | "cli";
  /** What starts it. A user's `command` stands in its place. */
  argv: readonly [string, ...string[]];
  /** What it speaks to a model. */
  format: WireFormat;
  /** Credential modes that work. The others are refused with `unsupported`. */
  modes: readonly CredentialMode[];
  /** Why a mode that is not in `modes` does not work; a sentence. */
  unsupported?: string | undefined;
  /** Whether the input tokens it reports hold the cached ones, too. `undefined`: it reports none. */
  inputIncludesCached: boolean | undefined;
  /** Its usage comes after the answer to the prompt: the connection is kept open for it. */
  usageComesLate?: boolean | undefined;
  /**
   * ACP session modes: the one in which it asks before it acts, and, where asking costs it abilities, the one to use when
   * nothing needs to be asked.
   */
  sessionModes?: { asks: string; allows?: string } | undefined;
  /** Whether a session can be taken up again by a later process with the same HOME, and in a workspace at another path. */
  resumes: "anywhere" | "same folder" | "no";
  /** Arguments that make it print its version and end. */
  versionArgs: readonly string[];
  /** Whether it is given MCP servers by their address: `surely`, or where it says so itself. Absent: it takes none. */
  mcp?: "surely" | "perhaps" | undefined;
  /** How to get it. */
  install: string;
  /** Where its login and settings lie, below the user's HOME: what it must reach when it uses them. */
  login: readonly string[];
  setup(input: SetupInput): AgentSetup;
}
