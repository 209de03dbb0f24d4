import { dirname, isAbsolute, join } from "node:path";
import { confine, confinementOf, detectIsolation, objectFolders, type Isolation as Found } from "../agents/index.ts";
import type { Config } from "../config/index.ts";
import type { ConfineRequest, Isolation } from "../engine/index.ts";
import { openPlaces } from "../fleet/index.ts";
import { cacheFolder, DiskMeter, diskRoom, freeDisk, type Project } from "../workspace/index.ts";
import { RequestError } from "./failure.ts";
import { isDead, thisHolder } from "./identity.ts";
import { programFolders } from "./program-folders.ts";
import type { Surroundings } from "./surroundings.ts";

/** What keeps attempts apart here, and what to tell people of it. */
export interface OpenIsolation extends Disposable {
  isolation: Isolation;
  /** Which sandbox is in force; a sentence. Throws NO_SANDBOX where one is required and none can be had. */
  describe(): Promise<string>;
}

const found = (cli: Surroundings): Promise<Found> => detectIsolation({ path: cli.env["PATH"] ?? "" });

const noSandbox = ({ why, mend }: Extract<Found, { kind: "none" }>): RequestError =>
  new RequestError(
    "NO_SANDBOX",
    `the settings require a sandbox, and there is none here: ${why}`,
    `${mend} Or allow to go on without: --sandbox prefer.`,
  );

/** Before anything is created: throws NO_SANDBOX where one is required and none can be had. */
export async function requireSandbox(cli: Surroundings, { sandbox }: Config): Promise<void> {
  const there = sandbox.policy === "require" ? await found(cli) : undefined;
  if (there?.kind === "none") throw noSandbox(there);
}

/** `project` absent: nothing is confined, since it is not known what belongs to whom. */
export function openIsolation(cli: Surroundings, config: Config, project: Project | undefined): OpenIsolation {
  const { home, isolation: limits, sandbox } = config;
  const places = openPlaces({ home, clock: cli.clock, holder: thisHolder(), isGone: isDead, isolation: limits });
  const meter = new DiskMeter(home, () => cli.clock.now());
  let looked: Promise<Found> | undefined;
  const look = (): Promise<Found> => (looked ??= found(cli));

  const inForce = async (): Promise<Extract<Found, { kind: "sandbox" }> | undefined> => {
    if (sandbox.policy === "off" || !project) return undefined;
    const isolation = await look();
    if (isolation.kind === "sandbox") return isolation;
    if (sandbox.policy === "prefer") return undefined;
    throw noSandbox(isolation);
  };

  const confined: Isolation["confine"] = async ({ folders, path, agent }) => {
    const there = await inForce();
    if (!there || !project) return undefined;
    const userHome = cli.env["HOME"] ?? home;
    const isOwnLogin = agent?.credentials === "direct" || agent?.credentials === "pass-through";
    const input = {
      workspace: { tree: folders.tree, home: folders.home, tmp: folders.tmp },
      stepfallHome: home,
      userHome,
      project: project.top,
      objects: objectFolders(project.objectsDir),
      caches: [cacheFolder(home, project.id)],
      program: programFolders(),
      // A program that is named by its path is found as one in PATH is.
      path: [path, ...(agent?.programs ?? []).map((program) => dirname(program))].join(":"),
      ...(isOwnLogin ? { login: agent.login.map((name) => join(userHome, name)) } : {}),
      readable: sandbox.readable,
      writable: sandbox.writable,
      secrets: secretFiles(config),
      network: networkOf(agent, sandbox.domains),
    };
    return confine(confinementOf(input), there.tools);
  };

  return {
    isolation: {
      places,
      confine: confined,
      teardown: config.teardown,
      workspaceBytes: limits.workspaceDiskBytes,
      room: async (othersRunning) => {
        const free = await freeDisk(home);
        return diskRoom({ free, usage: limits.diskBytes === null ? undefined : await meter.usage(), othersRunning }, limits);
      },
    },
    async describe() {
      if (sandbox.policy === "off") return "no sandbox: it is switched off, agents and gates run as you";
      const there = await inForce();
      if (there) return `agents and gates run in a sandbox (${there.by})`;
      const none = await look();
      return none.kind === "none" ? `no sandbox: ${none.why}; agents and gates run as you. ${none.mend}` : "no sandbox";
    },
    [Symbol.dispose]: () => places[Symbol.dispose](),
  };
}

/** An agent on its own login goes where its maker's servers are, which nobody has listed, unless the settings do. */
function networkOf(agent: ConfineRequest["agent"], domains: readonly string[]): Parameters<typeof confinementOf>[0]["network"] {
  if (agent?.credentials === "direct" && domains.length === 0) return { kind: "open" };
  return { kind: "only", domains, ...(agent?.gatewayPort === undefined ? {} : { gatewayPort: agent.gatewayPort }) };
}

/** Files that settings name as holding secrets, and the one in the home. */
function secretFiles({ home, files }: Config): string[] {
  return [join(home, "secrets"), ...files.map((f) => f.path).filter((path) => isAbsolute(path) && !/\.ya?ml$/.test(path))];
}
