import { accessSync, constants, existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { ulid } from "ulid";
import { agentsWithOwnSandbox, detectIsolation, type Isolation, type PresetId } from "../../agents/index.ts";
import type { Config, Origin, ProviderSettings } from "../../config/index.ts";
import { troubledProviders } from "../../models/index.ts";
import { openProject, type Project } from "../../workspace/index.ts";
import { Exit, type Cli } from "../cli.ts";
import { InputProblems, isTyped } from "../../setup/failure.ts";
import { painter } from "../output.ts";
import { gist } from "../show/failure-text.ts";
import { providerText } from "../show/provider-text.ts";
import { assemble } from "../../setup/assemble.ts";
import { agentsOnPath, tryFoundAgents, type FoundAgent } from "../../setup/find-agents.ts";
import { withFound } from "../../setup/found-agents.ts";
import { preflightAgents } from "../../setup/preflight.ts";
import { buildRegistry, chainOf, isGatewayAgent } from "../../setup/registry.ts";
import { translationsOf } from "../../setup/wire-formats.ts";
import { configFlags, type RunOptions } from "../../setup/run-options.ts";
import { ScriptedModels } from "../../setup/scripted-models.ts";
import { homeOf, loadSettings, uncommittedSettings } from "../../setup/settings.ts";

type Verdict = "ok" | "note" | "problem";

interface Check {
  name: string;
  verdict: Verdict;
  detail: string;
  hint?: string | undefined;
}

const LOCAL_MS = 1500;

/** `stepfall doctor`: what works here and what to do about the rest. Exit 1 when something needed is broken. */
export async function doctor(cli: Cli, flags: RunOptions): Promise<number> {
  const checks: Check[] = [{ name: "node", verdict: "ok", detail: process.version }];
  const project = await openProject(cli.cwd, { env: cli.env }).catch((error: unknown) => void checks.push(projectProblem(error)));
  if (project)
    checks.push(
      { name: "git", verdict: "ok", detail: project.gitVersion },
      { name: "project", verdict: "ok", detail: projectText(project) },
    );
  checks.push(homeCheck(homeOf(cli)));
  const config = await loadSettings(cli, { project: project ?? undefined, flags: configFlags(flags) }).catch(
    (error: unknown) => void checks.push(...settingsProblems(error)),
  );
  const away = project && (await uncommittedSettings(project));
  if (away)
    checks.push({
      name: "settings",
      verdict: "note",
      detail: `${away.problem}; what follows is of the file on disk`,
      hint: sentence(away.hint),
    });
  let hasAgent = true;
  if (config) {
    checks.push(...settingsChecks(config), ...(await Promise.all(config.providers.map(providerCheck))));
    const models = await foundModelsCheck(cli, config);
    checks.push(...(await runtimeChecks(cli, config, project ?? undefined)), models.check);
    hasAgent = config.agents.length + models.agents > 0;
  }
  const isolation = await detectIsolation({ path: cli.env["PATH"] ?? "" });
  checks.push(...isolationChecks(isolation, config ?? undefined));
  return tell(cli, checks, hasAgent, { ...withoutTools(isolation), policy: config ? config.sandbox.policy : null });
}

const withoutTools = (isolation: Isolation): object =>
  isolation.kind === "sandbox" ? { kind: isolation.kind, by: isolation.by } : isolation;

const AS_YOU = "agents and gates run as you, each in a private clone with a HOME of its own";

/** Which isolation runs have here, as it was really tried; without settings, what could be had. */
function isolationChecks(isolation: Isolation, config: Config | undefined): Check[] {
  const name = "isolation";
  const policy = config?.sandbox.policy ?? "prefer";
  const canBeHad = isolation.kind === "sandbox";
  if (policy === "off") {
    const origin = originText(config?.origins["sandbox.policy"]);
    const detail = `the sandbox is turned off (${origin}), ${canBeHad ? "and could be had" : `nor could it be had: ${isolation.why}`}; ${AS_YOU}`;
    return [{ name, verdict: "note", detail, hint: "Run what you do not trust in a container." }];
  }
  if (!canBeHad) {
    if (policy === "require")
      return [
        { name, verdict: "problem", detail: `the settings require a sandbox, and none can be had: ${isolation.why}`, hint: isolation.mend },
      ];
    return [{ name, verdict: "note", detail: `no sandbox: ${isolation.why}; ${AS_YOU}`, hint: isolation.mend }];
  }
  const detail = `${isolation.by}, tried: agents and gates see and write their own workspace, and reach the gateway and ${domainsText(config)}`;
  return [{ name, verdict: "ok", detail }, ...(config ? exceptions(config) : [])];
}

const domainsText = (config: Config | undefined): string => config?.sandbox.domains.join(", ") || "nothing else";

/** Agents of which the sandbox keeps in less than that, or nothing. */
function exceptions(config: Config): Check[] {
  const table: Partial<Record<string, string>> = agentsWithOwnSandbox satisfies Partial<Record<PresetId, string>>;
  return config.agents.flatMap((agent): Check[] => {
    const note = (detail: string, hint: string): Check[] => [{ name: `isolation of ${agent.id}`, verdict: "note", detail, hint }];
    if (!("preset" in agent)) return [];
    const own = table[agent.preset];
    if (own !== undefined) return note(own, "It cannot be started within ours: what it runs is kept in by this alone.");
    if (agent.credentials !== "direct" || config.sandbox.domains.length > 0) return [];
    return note(
      "it uses a login of its own, and so reaches the whole network",
      "Name its maker's servers under `sandbox: { domains: [...] }`.",
    );
  });
}

const sentence = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

function projectProblem(error: unknown): Check {
  if (!isTyped(error)) throw error;
  const isGit = error.code === "GIT_MISSING" || error.code === "GIT_TOO_OLD";
  return {
    name: isGit ? "git" : "project",
    verdict: isGit ? "problem" : "note",
    detail: `${error.code}: ${error.message}`,
    hint: error.hint,
  };
}

const projectText = (p: Project): string =>
  `${p.top}, ${p.branch ?? "detached"} at ${p.head.slice(0, 12)}${p.dirty.length > 0 ? `, ${p.dirty.length} uncommitted` : ""}`;

/** Looks without making it: `doctor` on a fresh machine leaves no folder. */
function homeCheck(home: string): Check {
  let folder = home;
  while (!existsSync(folder) && dirname(folder) !== folder) folder = dirname(folder);
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
    return { name: "home", verdict: "ok", detail: home + (folder === home ? "" : " (made when it is needed)") };
  } catch {
    return {
      name: "home",
      verdict: "problem",
      detail: `${folder} cannot be written to`,
      hint: "Give another folder with --home or $STEPFALL_HOME.",
    };
  }
}

function settingsProblems(error: unknown): Check[] {
  if (!(error instanceof InputProblems)) throw error;
  return error.problems.map((p) => ({
    name: "settings",
    verdict: "problem" as const,
    detail: `${p.file}${p.line > 0 ? `:${p.line}:${p.col}` : ""} ${p.code}: ${p.message}`,
    hint: p.hint,
  }));
}

function settingsChecks(config: Config): Check[] {
  const files = config.files.map((f) => `${f.path}${f.isThere ? "" : " (not there)"}`).join(", ");
  const values: [string, string][] = [
    ["slots", String(config.slots)],
    ["grace", `${config.graceMs / 1000} s`],
    ["setup", config.setup.join("; ") || "none"],
    ["protected", config.protected?.join(", ") ?? "what judges each step"],
    ["default-agent", config.defaultAgent ?? "the first agent that can do a step"],
    ["sandbox.policy", config.sandbox.policy],
    ...(["domains", "readable", "writable"] as const).flatMap((key): [string, string][] =>
      config.sandbox[key].length > 0 ? [[`sandbox.${key}`, config.sandbox[key].join(", ")]] : [],
    ),
  ];
  return [
    { name: "settings", verdict: "ok", detail: files },
    ...values.map(([key, value]): Check => ({ name: key, verdict: "ok", detail: `${value} (${originText(config.origins[key])})` })),
  ];
}

function originText(origin: Origin | undefined): string {
  switch (origin?.kind) {
    case undefined:
    case "default":
      return "default";
    case "flag":
      return origin.name;
    case "environment":
      return `$${origin.name}`;
    case "project":
    case "user":
      return `${origin.file}:${origin.line}`;
    case "found":
      return `found by ${origin.by}: ${origin.name}`;
    default:
      return origin satisfies never;
  }
}

/** Hosted ones are not called: a key that is there is all that can be told without spending. */
async function providerCheck(provider: ProviderSettings): Promise<Check> {
  const name = `provider ${provider.id}`;
  if (provider.script !== undefined)
    return {
      name,
      verdict: existsSync(provider.script) ? "ok" : "problem",
      detail: `scripted model, answers from ${provider.script}`,
      hint: existsSync(provider.script) ? undefined : "The file is not there.",
    };
  if (!provider.ready.ok) return { name, verdict: "note", detail: provider.ready.problem, hint: provider.ready.hint };
  if (!provider.isLocal) return { name, verdict: "ok", detail: `${provider.url}, key from $${provider.keyEnv ?? "(none needed)"}` };
  try {
    const response = await fetch(`${provider.url}/models`, { signal: AbortSignal.timeout(LOCAL_MS) });
    const { data } = (await response.json()) as { data?: { id: string }[] };
    return {
      name,
      verdict: "ok",
      detail: `${provider.url} answers; models: ${
        data
          ?.map((m) => m.id)
          .slice(0, 8)
          .join(", ") || "none"
      }`,
    };
  } catch {
    return { name, verdict: "note", detail: `${provider.url} does not answer`, hint: "Start it if you want to use its models." };
  }
}

/** Store, gateway and every agent, really started, in a home that is thrown away. */
async function runtimeChecks(cli: Cli, config: Config, project: Project | undefined): Promise<Check[]> {
  const scratch = await mkdtemp(join(tmpdir(), "stepfall-doctor-"));
  const runId = ulid(cli.clock.now()).toLowerCase();
  const checks: Check[] = [];
  try {
    const scripted = new ScriptedModels(scratch, runId);
    const registry = buildRegistry(config, scripted.urls);
    await using assembled = await assemble(
      { ...cli, home: scratch },
      {
        config: { ...config, home: scratch },
        project: undefined,
        cacheId: project?.id ?? "doctor",
        registry,
        scripted,
        keepWorkspaces: false,
      },
    );
    checks.push({ name: "store", verdict: "ok", detail: "opens and writes" });
    const gateway = await assembled.deps.gateway();
    checks.push({ name: "gateway", verdict: "ok", detail: `starts, listens on ${gateway.url}` });
    const now = cli.clock.now();
    for (const state of troubledProviders(config.home, now))
      checks.push({ name: `provider ${state.provider}`, verdict: "note", detail: providerText(state, now) });
    const ready = registry
      .list()
      .filter((a) =>
        config.agents.every(
          (c) =>
            c.id !== a.id ||
            !isGatewayAgent(c) ||
            !usesOurKey(c) ||
            chainOf(c).every((m) => config.providers.some((p) => p.id === m.provider && p.ready.ok)),
        ),
      );
    await scripted.start(
      config,
      ready.map((a) => a.id),
    );
    for (const { agent, preflight } of await preflightAgents(
      assembled.deps,
      runId,
      ready.map((a) => a.id),
      AbortSignal.timeout(60_000),
    )) {
      const { model, tier } = registry.get(agent);
      const name = `agent ${agent}`;
      const named = config.agents.find((a) => a.id === agent);
      const translations = named && isGatewayAgent(named) ? translationsOf(named, config) : [];
      const what = [model, tier, ...translations].filter(Boolean).join(", ");
      checks.push(
        preflight.ok
          ? { name, verdict: "ok", detail: `${what}: ${preflight.detail}` }
          : { name, verdict: "problem", detail: `${what}: ${config.secrets.mask(preflight.problem)}`, hint: preflight.hint },
      );
    }
    for (const agent of registry.list())
      if (!ready.includes(agent))
        checks.push({ name: `agent ${agent.id}`, verdict: "problem", detail: `${agent.model}: its provider has no key` });
    const { found, missing } = agentsOnPath(cli.env["PATH"], config);
    const tried = await tryFoundAgents(assembled.deps, found, scratch, AbortSignal.timeout(60_000));
    checks.push(...tried.map((agent) => foundCheck(agent, config)));
    if (missing.length > 0)
      checks.push({
        name: "not installed",
        verdict: "note",
        detail: missing.map((p) => p.argv[0]).join(", "),
        hint: missing.map((p) => p.install).join("\n    "),
      });
    if (config.agents.length === 0)
      checks.push({
        name: "agents",
        verdict: "note",
        detail: "the settings name no agent for prompts",
        hint: tried.some((a) => a.preflight.ok)
          ? "Write one of those found above into stepfall.yaml, or name a model: --model PROVIDER/MODEL."
          : "Set a provider's key, name a model (--model PROVIDER/MODEL), or write `agents` into stepfall.yaml.",
      });
  } catch (error) {
    if (!isTyped(error)) throw error;
    checks.push({ name: "engine", verdict: "problem", detail: `${error.code}: ${error.message}`, hint: error.hint });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
  return checks;
}

/** Agents that nobody wrote down are not started here: a run starts those that it needs. */
async function foundModelsCheck(cli: Cli, config: Config): Promise<{ check: Check; agents: number }> {
  const name = "models";
  const hint = "`stepfall models` shows each with its price, and what the others need.";
  if (!config.catalog) return { check: { name, verdict: "ok", detail: "agents are those of the settings alone" }, agents: 0 };
  const all = await withFound(cli, config, "servers");
  const found = all.agents.slice(config.agents.length).map((a) => a.id);
  const detail =
    found.length === 0
      ? "no key, no local server: no agent beside those of the settings"
      : `agents beside those of the settings: ${found.join(", ")}`;
  return { check: { name, verdict: "note", detail, hint }, agents: found.length };
}

const usesOurKey = (agent: { executor: string; credentials?: string }): boolean =>
  agent.executor === "chat" || agent.credentials === "metered";

/** One that no setting names is never a problem: nobody asked for it. */
function foundCheck({ preset, program, preflight, settings }: FoundAgent, config: Config): Check {
  const name = `found ${preset.id}`;
  if (!preflight.ok)
    return { name, verdict: "note", detail: `${program}: ${gist(config.secrets.mask(preflight.problem), 200)}`, hint: preflight.hint };
  return { name, verdict: "note", detail: `${program}: ${preflight.detail}`, hint: `To use it: ${settings}` };
}

function tell(cli: Cli, checks: readonly Check[], hasAgent: boolean, isolation: object): number {
  const ok = checks.every((c) => c.verdict !== "problem");
  if (cli.json) cli.out.json({ version: 1, ok, checks, isolation });
  else {
    const paint = painter(cli.out.colour);
    const marks: Record<Verdict, string> = { ok: paint("green", "✓"), note: paint("yellow", "·"), problem: paint("red", "✗") };
    for (const c of checks)
      cli.out.data(`${marks[c.verdict]} ${c.name}: ${c.detail}${c.hint && c.verdict !== "ok" ? `\n    ${c.hint}` : ""}`);
    const whole = hasAgent
      ? "Everything that is needed works."
      : "Commands and approvals work. A step with a prompt needs an agent, and there is none: see `agents` above.";
    cli.out.data(ok ? `\n${whole}` : "\nSomething that is needed does not work: see ✗ above.");
  }
  return ok ? Exit.ok : Exit.failed;
}
