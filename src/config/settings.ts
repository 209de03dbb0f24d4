import type { SecretBox } from "./secret-box.ts";
import type { Problem, ReadingCode } from "./yaml/problem.ts";

/** Environment variables, passed in: no module reads `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>;

export type ConfigProblemCode =
  | ReadingCode
  | "SECRETS_EXPOSED" // the file of secrets can be read by other users
  | "UNKNOWN_PROVIDER"
  | "UNKNOWN_AGENT"
  | "BAD_MODEL"
  | "BAD_URL";
export type ConfigProblem = Problem<ConfigProblemCode>;

/** Where a setting came from. */
export type Origin =
  | { kind: "default" }
  | { kind: "flag"; name: string }
  | { kind: "environment"; name: string }
  | { kind: "project"; file: string; line: number }
  | { kind: "user"; file: string; line: number };

/** Micro-dollars per million tokens. */
export interface PriceSettings {
  input: number;
  /** The input price, when the settings name none. */
  cachedInput: number;
  output: number;
}

/** An OpenAI-compatible endpoint. Its key is `config.secrets.get(keyEnv)`. */
export interface ProviderSettings {
  id: string;
  /** Base URL without a trailing slash, e.g. `http://127.0.0.1:11434/v1`. */
  url: string;
  /** Name of the variable that holds its key; absent when it needs none. */
  keyEnv?: string | undefined;
  /** Runs on hardware of one's own: no charge. */
  isLocal: boolean;
  /** Absolute path of the answers, when it is the bundled scripted model and no real provider. `url` is empty then. */
  script?: string | undefined;
  /** By model, without the provider's name. */
  prices: Readonly<Record<string, PriceSettings>>;
  /** Whether all that the settings can tell is there. Whether it answers, a preflight tells. */
  ready: { ok: true } | { ok: false; problem: string; hint: string };
}

interface AgentBase {
  id: string;
  /** `free`, `mid` or `premium`. */
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
  maxOutputTokens: number;
  maxTurns: number;
}

/** A program: the prompt is in `$STEPFALL_PROMPT` and on stdin. */
export interface ShellAgentSettings extends AgentBase {
  executor: "shell";
  command: string;
}

export type AgentSettings = ChatAgentSettings | ShellAgentSettings;

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
  /** In the order of the files. */
  agents: readonly AgentSettings[];
  /** Those of the settings and those built in. */
  providers: readonly ProviderSettings[];
  /** Most attempts at once, by account. An account not named here has no limit. */
  accountSlots: Readonly<Record<string, number>>;
  /** Id of one of `agents`. */
  defaultAgent: string | undefined;
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
  /** Instead of what the environment says. */
  home?: string;
  /** Number of processor cores; the default of `slots`, but at least 2. */
  cores?: number;
}

export type LoadedConfig = { ok: true; config: Config } | { ok: false; problems: ConfigProblem[] };
