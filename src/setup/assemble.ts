import { createKeeperHost, createLocalHost } from "../agents/index.ts";
import type { Config } from "../config/index.ts";
import { createEngine, type AgentExecution, type Engine, type EngineDeps, type Feed } from "../engine/index.ts";
import type { Registry } from "../fleet/index.ts";
import { connectGateway, type GatewayClient } from "../models/index.ts";
import type { Log, LogSink } from "../logs/index.ts";
import type { Store } from "../store/index.ts";
import { cacheEnvironment, type Project } from "../workspace/index.ts";
import type { Surroundings } from "./surroundings.ts";
import { isDead, isHalted, thisHolder } from "./identity.ts";
import { learn } from "./learnt.ts";
import { openLog } from "./log.ts";
import { routingFor } from "./routing.ts";
import { openIsolation } from "./isolation.ts";
import { openOnlookers } from "./onlookers.ts";
import type { ScriptedModels } from "./scripted-models.ts";
import { openStore } from "./store.ts";

export interface Parts {
  config: Config;
  /** Absent: agents are served, or tried, without one. */
  project: Project | undefined;
  /** Names the dependency caches that its attempts share, where there is no project. Default: the project's. */
  cacheId?: string;
  registry: Registry<AgentExecution>;
  scripted: ScriptedModels;
  keepWorkspaces: boolean;
  /** What this process is, in the log. Default: `driver`. */
  process?: string;
  /** Told at the end what hooks and telemetry could not do. */
  tell?: (notice: string) => void;
}

/** An engine with all it stands on. Leaves nothing running when it is disposed of. */
export interface Assembled extends AsyncDisposable {
  engine: Engine;
  deps: EngineDeps;
  store: Store;
  log: Log;
  /** Which sandbox is in force, for people. Throws NO_SANDBOX where one is required and none can be had. */
  describeSandbox(): Promise<string>;
  /** Replaces whoever listened before. */
  listen(listener: (item: Feed) => void): void;
}

/** What attempts get of the user's environment. */
const inherited = ["PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ"];
/** What the gateway needs to reach providers from behind a company's proxy. */
const forGateway = [
  "PATH",
  "NODE_EXTRA_CA_CERTS",
  "SSL_CERT_FILE",
  "HTTPS_PROXY",
  "HTTP_PROXY",
  "NO_PROXY",
  "https_proxy",
  "http_proxy",
  "no_proxy",
];

export async function assemble(cli: Surroundings, parts: Parts): Promise<Assembled> {
  const { config, registry, scripted } = parts;
  const { home, secrets } = config;
  const mask = (text: string): string => secrets.mask(text);
  const sinks: LogSink[] = [];
  const log = openLog(cli, config, { process: parts.process ?? "driver", more: sinks });
  const store = await openStore(cli, log);
  const apart = openIsolation(cli, config, parts.project);
  let listener: ((item: Feed) => void) | undefined;
  let gateway: Promise<GatewayClient> | undefined;
  const { hooks, telemetry } = await openOnlookers(cli, config, { store, log, sinks, tell: parts.tell ?? (() => undefined) }).catch(
    async (error: unknown) => {
      await store.close();
      throw error;
    },
  );
  const deps: EngineDeps = {
    store,
    clock: cli.clock,
    home,
    node: thisHolder(),
    registry,
    routing: routingFor(config, parts.project && (await learn(store, parts.project.top, { holder: thisHolder(), clock: cli.clock }))),
    budgets: { ...config.budgets, tiers: config.tiers },
    host: createLocalHost({ home, clock: cli.clock, mask }),
    keepers: createKeeperHost({ home, clock: cli.clock, mask, secrets: () => secrets.values() }),
    gateway: () => (gateway ??= connectGateway({ home, clock: cli.clock, env: pick(cli.env, forGateway), tuning: { log: config.log } })),
    slots: config.slots,
    baseEnv: { ...pick(cli.env, inherited), ...cacheEnvironment(home, parts.project?.id ?? parts.cacheId ?? "none") },
    isolation: apart.isolation,
    protected: config.protected ?? [],
    setup: config.setup,
    secret: (name) => secrets.get(name),
    ...(cli.env["HOME"] ? { userHome: cli.env["HOME"] } : {}),
    mask,
    keepWorkspaces: parts.keepWorkspaces,
    isDead,
    isHalted,
    ...(hooks?.veto ? { veto: hooks.veto } : {}),
    ...(telemetry ? { traceparent: telemetry.traceparent } : {}),
    log,
    onFeed: (item) => {
      if (item.kind === "progress" && item.isNotice)
        log.warn("notice", item.text, { room: "engine", step: item.step, attempt: item.attempt });
      listener?.(item);
      if (item.kind === "event") hooks?.kick();
    },
  };
  const created = createEngine(deps);
  const engine = telemetry?.tracing(created) ?? created;
  return {
    engine,
    deps,
    store,
    log,
    describeSandbox: () => apart.describe(),
    listen: (l) => (listener = l),
    [Symbol.asyncDispose]: async () => {
      engine[Symbol.dispose]();
      deps.keepers?.[Symbol.dispose]();
      await (await gateway?.catch(() => undefined))?.disconnect().catch(() => undefined);
      apart[Symbol.dispose]();
      await Promise.all([hooks?.close(), telemetry?.close()]);
      await scripted.stopAll();
      await store.close();
    },
  };
}

function pick(env: Surroundings["env"], names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.flatMap((name) => (env[name] ? [[name, env[name]]] : [])));
}
