import { isIP } from "node:net";
import { z } from "zod";
import { BudgetShape } from "./budgets.ts";
import { looksLikeSecretName, looksLikeSecretValue } from "./secret-names.ts";
import { ACP_PRESETS, CLI_PRESETS, SANDBOX_POLICIES } from "./settings.ts";
import { FallbackShape, fallbackKeys, QuotaShape } from "./failover-shape.ts";
import { HookShape, NotifyShape, TelemetryShape } from "./hooks-shape.ts";
import { LogShape } from "./log.ts";
import { RoutingShape, RuleShape } from "./routing-shape.ts";
import { CommandText, Dollars, duration, Glob, Id, TierName } from "./yaml/fields.ts";
import { keyed, kinds, refuse } from "./yaml/shape-problems.ts";
import { shown } from "./yaml/shown.ts";
import { size } from "./yaml/size.ts";

/** The shape of `stepfall.yaml` and of `config.yaml`, as people write them. */

/** Executors that come in a later version. */
const LATER_EXECUTORS = ["function"];

const literalSecrets = {
  pattern: /^(?:api[-_]?key|key|token|auth[-_]?token|secret|password|authorization)$/i,
  hint: "No key in a file: write `key-env: NAME` for the provider, and set NAME in the environment, the dotenv file or the file `secrets`",
};

/** A base URL without credentials in it. */
export const BaseUrl = z.string().transform((text, ctx) => {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const example = "Write it like http://127.0.0.1:11434/v1";
  if (url && (url.username !== "" || url.password !== "" || /[?&](?:api[-_]?)?(?:key|token)=/i.test(url.search))) {
    return refuse(ctx, "LITERAL_SECRET", "the URL holds a key", "Take it out; name a variable in `key-env`");
  }
  if (!url || !/^https?:$/.test(url.protocol) || url.hostname === "") return refuse(ctx, "BAD_VALUE", "is not an http(s) URL", example);
  if (url.search !== "" || url.hash !== "") return refuse(ctx, "BAD_VALUE", "the URL has a query or fragment", example);
  return url.href.replace(/\/+$/, "");
});

const VariableName = z.string().superRefine((text, ctx) => {
  // Whatever is no name may be the key itself: it is not repeated.
  if (!/^[A-Za-z_]\w{0,127}$/.test(text) || looksLikeSecretValue(text)) {
    refuse(ctx, "LITERAL_SECRET", "is not the name of an environment variable", "Write the variable's name, not its value");
  }
});

const agent = {
  tier: TierName.optional().describe(
    "One of `tiers`, or weak, base, strong: the first, the middle, the last; default: weak for local providers and shell, else base",
  ),
  capabilities: z.array(z.string().min(1).max(64)).optional().describe("What it can do; default: [edit]"),
  account: Id.optional().describe("What its slots are counted by; default: its provider, or its own id for programs"),
};
const agentElsewhere = {
  url: "The endpoint belongs to a provider: providers: { name: { url: ... } }",
  provider: "Write both into `model`: provider/model",
  prices: "Prices belong to a provider",
};

const ChatAgent = keyed(
  {
    executor: z.literal("chat"),
    model: z.string().min(1).max(256).describe("provider/model"),
    ...agent,
    maxOutputTokens: z.int().min(1).max(1_000_000).optional().describe("Most tokens of one answer; default 8192"),
    maxTurns: z.int().min(1).max(10_000).optional().describe("Most calls of the model in an attempt; default 50"),
    tools: z
      .boolean()
      .optional()
      .describe("false: the model calls no tools; files are read out of its replies, and it runs nothing. Default true"),
    ...fallbackKeys,
  },
  {
    of: "a chat agent",
    literalSecrets,
    elsewhere: { ...agentElsewhere, command: "Only agents with `executor: shell`, `acp` or `cli` have a command" },
    later: ["credentials", "mcp"],
  },
);
const ShellAgent = keyed(
  {
    executor: z.literal("shell"),
    command: CommandText.describe("A program; the prompt is in $STEPFALL_PROMPT and on stdin"),
    ...agent,
  },
  {
    of: "a shell agent",
    literalSecrets,
    synonyms: { run: "command", cmd: "command", script: "command" },
    elsewhere: { ...agentElsewhere, model: "Only agents with `executor: chat`, `acp` or `cli` have a model" },
  },
);

const Argv = z.array(z.string().min(1).max(4096)).min(1).max(100).describe("A program and its arguments, instead of the preset's");
/** Plain variables; what looks like a secret is refused. */
const PlainEnv = z
  .record(z.string().regex(/^[A-Za-z_]\w{0,127}$/, "Use letters, digits and `_`"), z.string().max(32_768))
  .superRefine((env, ctx) => {
    for (const [name, value] of Object.entries(env)) {
      if (looksLikeSecretName(name) || looksLikeSecretValue(value)) {
        refuse(ctx, "LITERAL_SECRET", `${name} looks like a secret`, "Take it out: a metered agent gets a key of its own", [name]);
      }
    }
  })
  .describe("Added to its environment. No secrets");
const program = {
  ...agent,
  credentials: z
    .enum(["metered", "pass-through", "direct"])
    .optional()
    .describe("Whose login it uses: our key, through the gateway (default); its own, through the gateway; its own, without the gateway"),
  command: Argv.optional(),
  model: z
    .string()
    .min(1)
    .max(256)
    .optional()
    .describe("provider/model; with `credentials: direct` the program's own name for it, or nothing"),
  env: PlainEnv.optional(),
  ...fallbackKeys,
  maxOutputTokens: z.int().min(1).max(1_000_000).optional().describe("Most tokens of one answer; default 32000"),
};
const programWords = {
  literalSecrets,
  synonyms: { args: "command", argv: "command", cmd: "command", login: "credentials", environment: "env", agent: "preset", name: "preset" },
  elsewhere: { ...agentElsewhere, maxTurns: "Only an agent with `executor: chat` has `maxTurns`" },
  later: ["mcp", "sandbox"],
};
const AcpAgent = keyed(
  {
    executor: z.literal("acp"),
    preset: z.enum(ACP_PRESETS).optional().describe("A program that is known by name; not needed with a `command`"),
    ...program,
  },
  { of: "an ACP agent", ...programWords },
);
const CliAgent = keyed(
  { executor: z.literal("cli"), preset: z.enum(CLI_PRESETS), ...program },
  { of: "an agent driven by its command line", ...programWords },
);
const HttpAgent = keyed(
  {
    executor: z.literal("http"),
    url: BaseUrl.describe("Where the agent is served"),
    protocol: z.enum(["a2a", "post"]).optional().describe("a2a (default), or one POST of JSON"),
    "token-env": VariableName.optional().describe("Name of the environment variable that holds its bearer token"),
    ...agent,
  },
  {
    of: "an HTTP agent",
    literalSecrets: { ...literalSecrets, hint: "No token in a file: write `token-env: NAME`, and set NAME in the environment" },
    synonyms: { endpoint: "url", address: "url", "key-env": "token-env" },
    elsewhere: {
      model: "The agent at that address has its own model",
      command: "Only agents with `executor: shell`, `acp` or `cli` have a command",
    },
  },
);

const Price = keyed(
  {
    input: Dollars,
    "cached-input": Dollars.optional(),
    "cache-write": Dollars.optional().describe("Input written into the provider's cache; default: the input's price"),
    output: Dollars,
  },
  { of: "a price", synonyms: { cached: "cached-input", prompt: "input", completion: "output" } },
);
const WireFormat = z.enum(["chat", "responses", "messages", "gemini"]);
const Provider = keyed(
  {
    url: BaseUrl.optional().describe(
      "Base URL of its API, e.g. of an OpenAI-compatible one, ending in /v1; required unless the provider is built in",
    ),
    protocol: z
      .union([WireFormat, z.array(WireFormat).min(1)])
      .optional()
      .describe("Wire formats it speaks at its url: chat and responses (OpenAI), messages (Anthropic), gemini; default: chat"),
    "key-env": VariableName.optional().describe("Name of the environment variable that holds the key"),
    local: z.boolean().optional().describe("Runs on your own hardware: no charge"),
    script: z
      .string()
      .min(1)
      .max(1024)
      .optional()
      .describe("Instead of a url: a JSON file of answers, served by the bundled scripted model. Relative to this file. No model is asked"),
    prices: z.record(z.string(), Price).optional().describe("By model, USD per million tokens"),
  },
  {
    of: "a provider",
    literalSecrets,
    synonyms: { "base-url": "url", baseURL: "url", endpoint: "url", host: "url" },
    later: ["headers", "models"],
  },
);

const OWN_VARIABLE = /^(?:STEPFALL_.*|HOME|TMPDIR|PORT|COMPOSE_PROJECT_NAME)$/;
const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/i;
/** A password for a service of this very machine protects nothing from it; one for another machine is a secret. */
const holdsPassword = (value: string): boolean => {
  const [, password, host = ""] = /^[a-z][a-z0-9+.-]*:\/\/[^/@:\s]*:([^/@\s]+)@(\[[^\]]*\]|[^/:\s]*)/i.exec(value) ?? [];
  return password !== undefined && !LOOPBACK.test(host);
};
const IsolationEnv = z
  .record(z.string().regex(/^[A-Za-z_]\w{0,127}$/, "Use letters, digits and `_`"), z.string().max(4096))
  .superRefine((env, ctx) => {
    for (const [name, value] of Object.entries(env)) {
      if (OWN_VARIABLE.test(name)) refuse(ctx, "BAD_VALUE", `${name} is set by Stepfall itself`, "Use another name", [name]);
      else if (looksLikeSecretName(name) || looksLikeSecretValue(value) || holdsPassword(value)) {
        const hint = "Take it out; a step gets secrets by its `env`: `${{ secrets.NAME }}`";
        refuse(ctx, "LITERAL_SECRET", `${name} looks like a secret written out`, hint, [name]);
      }
    }
  })
  .describe(
    "Variables of each of them; ${NAME}, ${PORT}, ${PORT_2}, ${ATTEMPT}, ${RUN}, ${STEP}, ${TMP}, ${HOME} and ${TREE} are filled in",
  );
const Isolation = keyed(
  {
    ports: z.int().min(0).max(100).optional().describe("Ports of each attempt and of each clean checkout; default 5"),
    env: IsolationEnv.optional(),
    disk: size(100e6).optional().describe("Most that Stepfall's folder may take before no further attempt starts; default 50GB"),
    "workspace-disk": size(1e6).optional().describe("Most that one attempt's workspace may take; default 20GB"),
    "cache-disk": size(0).optional().describe("Most that shared caches may take, for `stepfall gc`; default 20GB"),
    "free-disk": size(0).optional().describe("Least that must be free on the disk for an attempt to start; default 1GB"),
  },
  {
    of: "isolation",
    literalSecrets,
    synonyms: {
      environment: "env",
      variables: "env",
      port: "ports",
      "max-disk": "disk",
      "disk-limit": "disk",
      workspace: "workspace-disk",
      cache: "cache-disk",
      "min-free": "free-disk",
      free: "free-disk",
    },
    elsewhere: {
      setup: "Write it at the top of the file, or in a step",
      teardown: "Write it at the top of the file, or in a step",
      sandbox: "Write it at the top of the file",
      network: "Write `sandbox: { domains: [...] }` at the top of the file",
      domains: "Write `sandbox: { domains: [...] }` at the top of the file",
    },
    later: ["container"],
  },
);

/** The same grammar as `parseDomain` in agents/sandbox, which a keeper loads without this room; domains.test.ts there holds the two together. */
const Domain = z.string().superRefine((text, ctx) => {
  const [, star, host = "", port] = /^(\*\.)?(\[[0-9a-f:.]+\]|[^\s:/*?#@[\]]+)(?::(\d{1,5}))?$/i.exec(text) ?? [];
  const name = host.replace(/\.$/, "").replace(/^\[(.*)\]$/, "$1");
  const isPort = port === undefined || (Number(port) >= 1 && Number(port) <= 65_535);
  const isName = name !== "" && !name.startsWith(".") && !name.includes("..");
  const isWide = star !== undefined && (!name.includes(".") || isIP(name) !== 0);
  if (isWide && isName) refuse(ctx, "BAD_VALUE", `"${shown(text, 60)}" is too wide`, "Write a domain of somebody, such as *.example.com");
  else if (!isName || !isPort)
    refuse(ctx, "BAD_VALUE", `"${shown(text, 60)}" is no domain`, "Write example.com, *.example.com or example.com:8443");
});
const Places = z.array(z.string().min(1).max(1024)).max(200);
const Sandbox = keyed(
  {
    policy: z
      .enum(SANDBOX_POLICIES)
      .optional()
      .describe(
        "Where no sandbox can be had: require starts nothing, prefer (default) goes on and says so; off uses none (only in config.yaml)",
      ),
    domains: z
      .array(Domain)
      .max(1000)
      .optional()
      .describe("What may be reached beside the gateway: example.com, *.example.com, example.com:8443. Without a port 80 and 443"),
    readable: Places.optional().describe("What may be read, too: paths inside the project; in config.yaml absolute ones, or ~/"),
    writable: Places.optional().describe("What may be written, too: absolute paths, or ~/. Only in config.yaml"),
  },
  {
    of: "the sandbox",
    literalSecrets,
    synonyms: {
      mode: "policy",
      enabled: "policy",
      network: "domains",
      hosts: "domains",
      allow: "domains",
      allowed: "domains",
      "allowed-domains": "domains",
      read: "readable",
      write: "writable",
    },
  },
);

const Tiers = z
  .array(Id)
  .min(1, "Name at least one tier")
  .max(20)
  .superRefine((names, ctx) => {
    names.forEach((name, i) => {
      if (names.indexOf(name) !== i) refuse(ctx, "BAD_VALUE", `The tier ${name} is named twice`, "Name each tier once", [i]);
    });
  });

export const SettingsShape = keyed(
  {
    slots: z.int().min(1).max(1000).optional().describe("Attempts at once on this machine; default: the number of cores, at least 2"),
    grace: duration(0).optional().describe("How long attempts may finish after the first Ctrl-C; default 30s"),
    protected: z.array(Glob).optional().describe("Globs whose content is always the base commit's"),
    setup: z.array(CommandText).optional().describe("Shell commands that prepare every workspace"),
    teardown: z.array(CommandText).optional().describe("Shell commands run after every attempt and its gates, however they ended"),
    isolation: Isolation.optional().describe("What attempts have for themselves: ports, variables, disk"),
    sandbox: Sandbox.optional().describe("What processes of attempts may reach"),
    agents: z.record(Id, kinds("executor", [ChatAgent, ShellAgent, AcpAgent, CliAgent, HttpAgent], "an agent", LATER_EXECUTORS)).optional(),
    providers: z.record(Id, Provider).optional(),
    tiers: Tiers.optional().describe("Names of the tiers, from the cheapest up; default: free, mid, premium"),
    catalog: z
      .boolean()
      .optional()
      .describe(
        "Whether known models that can be reached are agents, beside `agents`; default true where no agents are named, for programs that use the library false",
      ),
    accounts: z.record(Id, keyed({ slots: z.int().min(1).max(1000) }, { of: "an account", literalSecrets })).optional(),
    rules: z.array(RuleShape).max(200).optional().describe("Who does what, before anything is learnt; the first that holds"),
    routing: RoutingShape.optional().describe("How steps climb from tier to tier"),
    fallback: FallbackShape.optional().describe("Models that are asked when an agent's own fails, of agents that name none"),
    quota: QuotaShape.optional().describe("What is done when a provider's limit is met; off: it is a failure like others"),
    budget: BudgetShape.optional().describe("Most that may be spent, by fleet, project, run, step and attempt"),
    hooks: z
      .array(HookShape)
      .max(100)
      .optional()
      .describe("Programs and webhooks that are told of events, or asked before something begins"),
    "project-hooks": z
      .enum(["allow", "refuse"])
      .optional()
      .describe("Whether hooks and telemetry of a project's own file count; only in config.yaml; default refuse"),
    notify: NotifyShape.optional().describe("Who is told that something waits for people"),
    telemetry: TelemetryShape.optional().describe("Where traces and metrics go (OTLP/HTTP); nothing is sent without it"),
    log: LogShape.optional().describe("What Stepfall's own processes write down beside the journal; only in config.yaml"),
    "default-agent": Id.optional().describe("The agent of steps that ask for none"),
    dotenv: z.string().min(1).max(1024).optional().describe("A file of secrets, NAME=value lines"),
  },
  {
    of: "stepfall.yaml",
    literalSecrets,
    later: ["autopilot", "nodes", "server", "secrets", "mcp"],
    synonyms: { concurrency: "slots", parallel: "slots", agent: "default-agent", "env-file": "dotenv", models: "agents" },
    elsewhere: {
      steps: "Steps belong to a pipeline, a file of its own",
      env: "Environment variables belong to a pipeline; secrets to the dotenv file",
      timeout: "Write it in the pipeline, under `defaults`",
      retry: "Write it in the pipeline, under `defaults`",
    },
  },
).describe("Settings of Stepfall: stepfall.yaml in a project, config.yaml in Stepfall's folder");
export type Settings = z.output<typeof SettingsShape>;

/** JSON Schema (draft 7, what editors know best) of `stepfall.yaml` and `config.yaml`. */
export function configJsonSchema(): Record<string, unknown> {
  const schema = z.toJSONSchema(SettingsShape, { io: "input", target: "draft-07" });
  return { title: "Stepfall settings", ...schema };
}
