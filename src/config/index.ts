/** Settings and secrets, loaded once and passed in; and how YAML files are read with places for every problem. */
export { loadConfig } from "./load.ts";
export { stepfallHome } from "./home.ts";
export { configJsonSchema } from "./settings-schema.ts";
export { agentFrom, type AgentContext } from "./agents.ts";
export { withFallback } from "./failover.ts";
export { DEFAULT_TIERS, defaultTierIn, resolveTier, tierAt, unknownTier } from "./tiers.ts";
export { ENV_PLACEHOLDERS, fillEnvTemplate, parseEnvTemplate, type EnvPlaceholder } from "./env-template.ts";
export { defaultIsolation } from "./isolation.ts";
export type { ClimbSettings, RoutingSettings } from "./routing.ts";
export { defaultSandbox } from "./sandbox.ts";
export { SecretBox } from "./secret-box.ts";
export { createMasker, type Masker, type MaskStream } from "./masker.ts";
export type { HookCall, HookSettings, NotifySettings, TelemetrySettings } from "./hooks.ts";
export { DEFAULT_LOG, LOG_LEVELS, type LogLevel, type LogSettings } from "./log.ts";
export { SECRET_PLACE, VETO_EVENTS } from "./hooks-shape.ts";
export type { BudgetsSettings, PeriodBudget } from "./budgets.ts";
export { looksLikeSecretName, looksLikeSecretValue } from "./secret-names.ts";
export type {
  AgentSettings,
  ChatAgentSettings,
  Config,
  ConfigFlags,
  ConfigProblem,
  ConfigProblemCode,
  Credentials,
  Environment,
  HttpAgentSettings,
  IsolationSettings,
  LoadConfigRequest,
  LoadedConfig,
  Origin,
  PriceSettings,
  ProgramAgentSettings,
  ProviderSettings,
  SandboxPolicy,
  SandboxSettings,
  ShellAgentSettings,
} from "./settings.ts";

// Reading YAML: for the pipeline room.
export { formatProblems, inOrder, type Problem, type ProblemSources, type ReadingCode } from "./yaml/problem.ts";
export { readTextFile, type TextFile } from "./yaml/text-file.ts";
export { MAX_YAML_BYTES, readYaml, type Path, type Place, type YamlReading, type YamlSource } from "./yaml/yaml-source.ts";
export { dotted, expecting, keyed, kinds, oneOf, refuse, shapeProblems, type Vocabulary } from "./yaml/shape-problems.ts";
export { CommandText, Dollars, duration, FilePath, Glob, Id, ID_PATTERN, parseDuration, TierName } from "./yaml/fields.ts";
export { STEP_TYPES, type StepType } from "./step-types.ts";
export { parseSize } from "./yaml/size.ts";
export { nearest } from "./yaml/nearest.ts";
export { describeValue, named, shown } from "./yaml/shown.ts";
