import { agentFrom, chatAgent, type AgentContext } from "./agents.ts";
import { gatherFallback, gatherQuota, withFallbacks } from "./failover.ts";
import { gatherProviders, MODEL_KEY } from "./gather-providers.ts";
import { stepfallHome } from "./home.ts";
import { gatherBudgets } from "./budgets.ts";
import { gatherHooks, gatherNotify, gatherTelemetry, hookSecretNames } from "./hooks.ts";
import { gatherIsolation } from "./isolation.ts";
import { Loading, type Given } from "./loading.ts";
import { gatherLog } from "./log.ts";
import { fileNamedIn } from "./named-file.ts";
import { gatherRouting } from "./routing.ts";
import { gatherSandbox } from "./sandbox.ts";
import { gatherSecrets } from "./secret-sources.ts";
import type { AgentSettings, LoadConfigRequest, LoadedConfig } from "./settings.ts";
import { gatherTiers } from "./tier-names.ts";
import { parseDuration } from "./yaml/fields.ts";
import { nearest } from "./yaml/nearest.ts";
import { inOrder } from "./yaml/problem.ts";
import { named } from "./yaml/shown.ts";

const DEFAULT_GRACE_MS = 30_000;
const LEAST_SLOTS = 2;

/**
 * Loads all settings once: flag over environment over the project's `stepfall.yaml` over `config.yaml` in Stepfall's
 * folder. Maps (`agents`, `providers`, `accounts`) are joined by name; an entry of the project replaces the user's.
 * All problems are answered at once; nothing is thrown.
 */
export function loadConfig(request: LoadConfigRequest): LoadedConfig {
  const { env, flags = {}, cwd = "/" } = request;
  const home = request.home ?? stepfallHome(env, cwd);
  const loading = new Loading(request, home);
  if (env["STEPFALL_DATABASE_URL"]) {
    loading.refuse(
      "$STEPFALL_DATABASE_URL",
      "NOT_SUPPORTED_YET",
      "PostgreSQL is not supported yet",
      "Unset it; Stepfall then uses its own SQLite store",
    );
  }

  const givenSlots = loading.givenAs(
    "slots",
    loading.given("--slots", flags.slots, "STEPFALL_SLOTS"),
    wholeNumber,
    "a whole number from 1 to 1000",
  );
  const givenGrace = loading.givenAs(
    "grace",
    loading.given("--grace", flags.grace, "STEPFALL_GRACE"),
    durationOf,
    "a duration such as 30s",
  );
  const slots = givenSlots ?? loading.setting("slots")?.value ?? Math.max(LEAST_SLOTS, Math.floor(request.cores ?? LEAST_SLOTS));
  const graceMs = givenGrace ?? loading.setting("grace")?.value ?? DEFAULT_GRACE_MS;

  const dotenv = dotenvPath(loading, home);
  const providerEntries = loading.entries("providers");
  const keyNames = [...providerEntries.values()].flatMap((e) => e.value["key-env"] ?? []);
  const tokenNames = [...loading.entries("agents").values()].flatMap(({ value }) =>
    "token-env" in value ? (value["token-env"] ?? []) : [],
  );
  const { secrets, problems, files } = gatherSecrets({
    env,
    dotenv,
    home,
    named: [...keyNames, ...tokenNames, ...hookSecretNames(loading), MODEL_KEY, ...(request.secretNames ?? [])],
  });
  loading.problems.push(...problems);

  const model = loading.given("--model", flags.model, "STEPFALL_MODEL");
  const url = loading.given("--model-url", flags.modelUrl, "STEPFALL_MODEL_URL");
  const providers = gatherProviders(loading, home, providerEntries, secrets, { model, url });
  const tiers = gatherTiers(loading);
  // A person who names a model, or agents, means those: nobody else spends money because a key happens to be set.
  const isUnnamed = loading.entries("agents").size === 0;
  const catalog = (loading.setting("catalog")?.value ?? ((request.catalogByDefault ?? false) && isUnnamed)) && model === undefined;
  const fallback = gatherFallback(loading, providers);
  const agents = withFallbacks(loading, gatherAgents(loading, { providers, tiers }, model), providers, fallback);
  const quota = gatherQuota(loading);
  const mayBeFound = (id: string): boolean => catalog && request.mayBeFound?.(id) === true;
  const defaultAgent = chooseDefault(loading, agents, model, mayBeFound);

  const isAsked = model !== undefined || loading.origins["default-agent"]?.kind === "flag";
  const routing = gatherRouting(loading, agents, isAsked, mayBeFound);
  const accountSlots = Object.fromEntries([...loading.entries("accounts")].map(([id, account]) => [id, account.value.slots]));
  const protectedGlobs = loading.setting("protected")?.value;
  const setup = loading.setting("setup")?.value ?? [];
  const teardown = loading.setting("teardown")?.value ?? [];
  const isolation = gatherIsolation(loading);
  const sandbox = gatherSandbox(loading, dotenv);
  const told = { hooks: gatherHooks(loading), notify: gatherNotify(loading), telemetry: gatherTelemetry(loading), log: gatherLog(loading) };
  for (const key of ["slots", "grace", "setup", "teardown", "protected", "default-agent", "dotenv", "tiers", "catalog"])
    loading.origins[key] ??= { kind: "default" };
  if (loading.problems.length > 0) return { ok: false, problems: inOrder(loading.problems) };
  return {
    ok: true,
    config: {
      home,
      slots,
      graceMs,
      protected: protectedGlobs,
      setup,
      teardown,
      isolation,
      sandbox,
      tiers,
      catalog,
      agents: [...agents.values()],
      providers: [...providers.values()],
      accountSlots,
      defaultAgent,
      routing,
      fallback,
      quota,
      budgets: gatherBudgets(loading),
      ...told,
      secrets,
      origins: loading.origins,
      files: [...loading.files.map((f) => ({ path: f.path, isThere: f.isThere })), ...files],
    },
  };
}

function gatherAgents(loading: Loading, context: AgentContext, model: Given | undefined): Map<string, AgentSettings> {
  const agents = new Map<string, AgentSettings>();
  for (const [id, { value, file }] of loading.entries("agents")) {
    const made = agentFrom(id, value, context);
    if (made.ok) agents.set(id, made.agent);
    else loading.refuseIn(file, made.fault.code, ["agents", id, made.fault.key ?? "model"], made.fault.message, made.fault.hint);
  }
  if (model) {
    const made = chatAgent("chat", String(model.value), context);
    if (made.ok) agents.set("chat", made.agent);
    else loading.refuse(model.name, made.fault.code, made.fault.message, made.fault.hint);
    loading.origins["agents.chat"] = model.origin;
  }
  return agents;
}

/** Named by flag or environment; else the agent of `--model`; else what the files say. */
function chooseDefault(
  loading: Loading,
  agents: ReadonlyMap<string, AgentSettings>,
  model: Given | undefined,
  mayBeFound: (id: string) => boolean,
): string | undefined {
  const isKnown = (id: string): boolean => agents.has(id) || mayBeFound(id);
  const asked = loading.given("--agent", loading.request.flags?.defaultAgent, "STEPFALL_DEFAULT_AGENT");
  const hint = (id: string): string => {
    const near = nearest(id, agents.keys());
    if (near) return `Did you mean ${named(near)}?`;
    return agents.size === 0 ? "Add it under `agents` in stepfall.yaml, or give --model" : `Agents: ${[...agents.keys()].join(", ")}`;
  };
  if (asked) {
    const id = String(asked.value);
    loading.origins["default-agent"] = asked.origin;
    if (!isKnown(id)) loading.refuse(asked.name, "UNKNOWN_AGENT", `There is no agent ${named(id)}`, hint(id));
    return id;
  }
  if (model) {
    loading.origins["default-agent"] = model.origin;
    return "chat";
  }
  const found = loading.setting("default-agent");
  // An agent that is declared and wrong has a problem of its own already.
  const isDeclared = found && loading.files.some((f) => f.source?.has(["agents", found.value]));
  if (found && !isDeclared && !isKnown(found.value)) {
    loading.refuseIn(found.file, "UNKNOWN_AGENT", ["default-agent"], `There is no agent ${named(found.value)}`, hint(found.value));
  }
  return found?.value;
}

function dotenvPath(loading: Loading, home: string): string | undefined {
  const found = loading.setting("dotenv");
  return (
    found &&
    fileNamedIn(loading, home, { ...found, path: ["dotenv"], hint: "Name a file inside the project, or use `dotenv` in config.yaml" })
  );
}

function wholeNumber(value: string | number): number | undefined {
  const n = typeof value === "number" ? value : /^\d{1,4}$/.test(value.trim()) ? Number(value) : Number.NaN;
  return Number.isInteger(n) && n >= 1 && n <= 1000 ? n : undefined;
}

/** `STEPFALL_GRACE=30` means seconds, as the number 30 does in a file. */
const durationOf = (value: string | number): number | undefined =>
  parseDuration(typeof value === "string" && /^\d+$/.test(value.trim()) ? Number(value) : value);
