import type { BudgetsSettings } from "./budgets.ts";
import type { ModelName } from "./agents.ts";
import type { HookSettings, NotifySettings, TelemetrySettings } from "./hooks.ts";
import type { LogSettings } from "./log.ts";
import type { RoutingSettings } from "./routing.ts";
import type { SecretBox } from "./secret-box.ts";
import type { Problem, ReadingCode } from "./yaml/problem.ts";

/** Environment variables, passed in: no module reads `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>;

export type ConfigProblemCode =
  | ReadingCode
  | "SECRETS_EXPOSED" // the file of secrets can be read by other users
  | "UNKNOWN_PROVIDER"
  | "UNKNOWN_AGENT"
  | "UNKNOWN_TIER"
  | "BAD_MODEL"
  | "BAD_URL"
  | "NOT_THE_PROJECTS"; // a setting that only the user's own file, a flag or a variable may widen
export type ConfigProblem = Problem<ConfigProblemCode>;

/** Where a setting came from. */
export type Origin =
  | { kind: "default" }
  | { kind: "flag"; name: string }
  | { kind: "environment"; name: string }
  | { kind: "project"; file: string; line: number }
  | { kind: "user"; file: string; line: number }
  /** It is there, and nobody wrote it: `by` a key that is set, a server that answers, a program that is installed. */
  | { kind: "found"; by: "key" | "server" | "program"; name: string };

/** Micro-dollars per million tokens. */
export interface PriceSettings {
  input: number;
  /** The input price, when the settings name none. */
  cachedInput: number;
  /** Absent: the input price. */
  cacheWrite?: number | undefined;
  output: number;
}

/** OpenAI chat completions, OpenAI responses, Anthropic messages, Gemini. */
export type WireFormat = "chat" | "responses" | "messages" | "gemini";

/** An endpoint that offers models. Its key is `config.secrets.get(keyEnv)`. */
export interface ProviderSettings {
  id: string;
  /** Base URL without a trailing slash, e.g. `http://127.0.0.1:11434/v1`. */
  url: string;
  /** The wire formats it speaks. */
  protocols: readonly WireFormat[];
  /** Base URL of each of them, without a trailing slash. Empty for a scripted model, which has none before it runs. */
  bases: Readonly<Partial<Record<WireFormat, string>>>;
  /** Name of the variable that holds its key; absent when it needs none. */
  keyEnv?: string | undefined;
  /** Runs on hardware of one's own: no charge. */
  isLocal: boolean;
  /** The vendor's own endpoint: what is known of the vendor's models is true of it. */
  isVendor: boolean;
  /** Absolute path of the answers, when it is the bundled scripted model and no real provider. `url` is empty then. */
  script?: string | undefined;
  /** By model, without the provider's name. */
  prices: Readonly<Record<string, PriceSettings>>;
  /** Whether all that the settings can tell is there. Whether it answers, a preflight tells. */
  ready: { ok: true } | { ok: false; problem: string; hint: string };
}

interface AgentBase {
  id: string;
  /** One of the project's tiers. */
  tier: string;
  capabilities: readonly string[];
  /** What its slots are counted by. */
  account: string;
}

/** An agent run in our own process on a chat model. */
export interface ChatAgentSettings extends AgentBase {
  executor: "chat";
  /** Id of its provider. */
  provider: string;
  /** The model as the provider calls it. */
  model: string;
  /** The models that may answer, in the order in which they are asked. Absent: its own alone. */
  chain?: readonly [ModelName, ...ModelName[]] | undefined;
  maxOutputTokens: number;
  maxTurns: number;
  /** False: the model calls no tools; its replies are read as edits of files. */
  tools?: false;
}

/** A program: the prompt is in `$STEPFALL_PROMPT` and on stdin. */
export interface ShellAgentSettings extends AgentBase {
  executor: "shell";
  command: string;
}

/** Programs that are driven by ACP and are known by name. */
export const ACP_PRESETS = ["gemini", "qwen", "opencode", "claude-agent-acp", "codex-acp", "copilot"] as const;
/** Programs that are driven by their own command line. */
export const CLI_PRESETS = ["claude", "codex"] as const;

/** Whose key and login an agent uses: see CredentialMode in domain/events.ts. */
export type Credentials = "metered" | "pass-through" | "direct";

/** A coding agent that is a program of its own, and the model it shall use. */
export interface ProgramAgentSettings extends AgentBase {
  executor: "acp" | "cli";
  /** `acp`: any other program that speaks ACP, started by `command`. */
  preset: (typeof ACP_PRESETS)[number] | (typeof CLI_PRESETS)[number] | "acp";
  /** Instead of the preset's. */
  command?: readonly [string, ...string[]] | undefined;
  credentials: Credentials;
  /** Id of its provider; absent in `direct` mode. */
  provider?: string | undefined;
  /** As the provider calls it. Absent only in `direct` mode: the program's own default. */
  model?: string | undefined;
  /** As a chat agent's; only with our key. */
  chain?: readonly [ModelName, ...ModelName[]] | undefined;
  /** Added to its environment. */
  env: Readonly<Record<string, string>>;
  maxOutputTokens: number;
}

/** An agent elsewhere, reached by HTTP. */
export interface HttpAgentSettings extends AgentBase {
  executor: "http";
  url: string;
  protocol: "a2a" | "post";
  /** Name of the variable that holds its bearer token. */
  tokenEnv?: string | undefined;
}

export type AgentSettings = ChatAgentSettings | ShellAgentSettings | ProgramAgentSettings | HttpAgentSettings;

/** What is done when a provider's limit is met: see QuotaPolicy in models/gateway/contract.ts. */
export interface QuotaSettings {
  onLimit: "failover" | "wait" | "fail";
  holdMs: number;
  mostMs: number;
}

/** What attempts have for themselves, and how much disk they may take. Sizes in bytes; `null`: no limit. */
export interface IsolationSettings {
  /** Ports of each attempt and of each clean checkout. */
  ports: number;
  /** Variables of each of them; values with placeholders, see env-template.ts. */
  env: Readonly<Record<string, string>>;
  /** Most that Stepfall's folder may take before no further attempt starts. */
  diskBytes: number | null;
  /** Most that one attempt's workspace may take. */
  workspaceDiskBytes: number | null;
  /** Most that shared caches may take; `gc` removes the oldest beyond it. */
  cacheDiskBytes: number | null;
  /** Least that must be free on the disk for an attempt to start. */
  freeDiskBytes: number | null;
}

/** What is done where no sandbox can be had: nothing starts; it goes on and says so. `off`: none is used. From the strictest on. */
export const SANDBOX_POLICIES = ["require", "prefer", "off"] as const;
export type SandboxPolicy = (typeof SANDBOX_POLICIES)[number];

/** What processes of attempts may reach beside what each has for itself. */
export interface SandboxSettings {
  policy: SandboxPolicy;
  /** `example.com`, `*.example.com`, `example.com:8443`; without a port 80 and 443. Lower case. */
  domains: readonly string[];
  /** Absolute paths that may be read, too. */
  readable: readonly string[];
  /** Absolute paths that may be written, too. Of the user only. */
  writable: readonly string[];
}

/** All settings, validated, with their defaults. */
export interface Config {
  /** Absolute path of Stepfall's folder. */
  home: string;
  /** Most attempts at once on this machine. */
  slots: number;
  /** How long attempts may finish after the first Ctrl-C. */
  graceMs: number;
  /** Globs protected in every pipeline; `undefined` when the settings say nothing. */
  protected: readonly string[] | undefined;
  /** Commands that prepare every workspace. */
  setup: readonly string[];
  /** Commands that undo it, run after every attempt and every clean checkout, however these ended. */
  teardown: readonly string[];
  isolation: IsolationSettings;
  sandbox: SandboxSettings;
  /** From the cheapest up. */
  tiers: readonly string[];
  /** Whether agents are made of what is found, too: see setup/found-agents.ts. Never beside `--model`. */
  catalog: boolean;
  /** In the order of the files. */
  agents: readonly AgentSettings[];
  /** Those of the settings and those built in. */
  providers: readonly ProviderSettings[];
  /** Most attempts at once, by account. An account not named here has no limit. */
  accountSlots: Readonly<Record<string, number>>;
  /** Id of one of `agents`, or, with `catalog`, of one that may be found. */
  defaultAgent: string | undefined;
  routing: RoutingSettings;
  /** Models that are asked when the own one of an agent fails that names none. */
  fallback: readonly ModelName[];
  /** `undefined`: limits are failures like others. */
  quota: QuotaSettings | undefined;
  budgets: BudgetsSettings;
  /** Of both files, the project's before the user's. */
  hooks: readonly HookSettings[];
  notify: NotifySettings;
  /** `undefined`: nothing is sent. */
  telemetry: TelemetrySettings | undefined;
  log: LogSettings;
  secrets: SecretBox;
  /** By dotted path: `slots`, `agents.coder`, `providers.local`, `default-agent`. */
  origins: Readonly<Record<string, Origin>>;
  /** Files that were looked for, for `doctor`. */
  files: readonly { path: string; isThere: boolean }[];
}

/** Settings given on the command line. */
export interface ConfigFlags {
  slots?: string | number | undefined;
  /** A duration. */
  grace?: string | number | undefined;
  /** `provider/model`: registers the agent `chat` and makes it the default. */
  model?: string | undefined;
  /** Base URL of the provider in `model`. Its key is STEPFALL_MODEL_KEY. */
  modelUrl?: string | undefined;
  defaultAgent?: string | undefined;
  /** `require`, `prefer` or `off`: instead of what the files say, also where that widens it. */
  sandboxPolicy?: string | undefined;
}

export interface LoadConfigRequest {
  env: Environment;
  flags?: ConfigFlags;
  /** Folder that relative paths of the environment start from. */
  cwd?: string;
  /** Top folder of the project. Its `stepfall.yaml` is read from disk unless `projectText` is given. */
  projectDir?: string | undefined;
  /** Text of `stepfall.yaml` as the base commit has it; `null` when it has none. */
  projectText?: string | null | undefined;
  /** How messages call the project's file. */
  projectFile?: string;
  /** Names of secrets that are asked for beside those of the settings: hidden in output, whatever they are called. */
  secretNames?: readonly string[];
  /** Instead of what the environment says. */
  home?: string;
  /** Whether agents are made of what is found when the settings do not say. Default false. */
  catalogByDefault?: boolean;
  /** Ids that agents may have which are found. */
  mayBeFound?: (id: string) => boolean;
  /** Number of processor cores; the default of `slots`, but at least 2. */
  cores?: number;
}

export type LoadedConfig = { ok: true; config: Config } | { ok: false; problems: ConfigProblem[] };
