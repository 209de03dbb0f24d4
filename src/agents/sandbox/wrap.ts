import { existsSync, mkdirSync, realpathSync } from "node:fs";
import type { Confine } from "../contract.ts";
import { AgentError } from "../errors.ts";
import { PROXY_PORT } from "./bridge.ts";
import { isWithin, type ConfinedNetwork, type Confinement } from "./confinement.ts";
import { parseDomain } from "./domains.ts";
import { insideScript } from "./inside.ts";
import { hiddenLinks } from "./links.ts";

/** The programs a sandbox is made with. */
export interface SandboxTools {
  bwrap: string;
  socat: string;
}

/**
 * A process whose user is root is root for the files of a fresh /proc, too: kernel settings and the name of the program that the
 * machine runs on a crash. bubblewrap covers these only from those it finds unwritable before it gives up its capabilities.
 */
const coveredInProc = ["/proc/sys", "/proc/sysrq-trigger", "/proc/irq", "/proc/bus", "/proc/fs", "/proc/acpi", "/proc/scsi"];

/** What a kept connection to an allowed domain needs in a program's environment; loopback stays direct. */
function environmentOf(network: ConfinedNetwork): Record<string, string> {
  if (network.kind === "open" || network.domains.length === 0) return {};
  const proxy = `http://127.0.0.1:${PROXY_PORT}`;
  const own = "localhost,127.0.0.1,::1";
  const pairs = Object.entries({ HTTP_PROXY: proxy, HTTPS_PROXY: proxy, NO_PROXY: own });
  return Object.fromEntries([
    ...pairs.flatMap(([name, value]) => [
      [name, value],
      [name.toLowerCase(), value],
    ]),
    ["NODE_USE_ENV_PROXY", "1"],
  ]);
}

const fail = (message: string, hint: string, cause?: unknown): AgentError =>
  new AgentError("AGENT_SANDBOX", `the sandbox could not be prepared: ${message}`, hint, cause === undefined ? {} : { cause });

/** Where it really is: a mount on a link is refused. `undefined` when it is not there. */
function real(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}

function makeFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw fail((cause as Error).message, "See that the disk has space and the folder can be written to.", cause);
  }
}

/**
 * Makes of a confinement what a SpawnSpec carries. Looks at the disk: paths that are not there now are left out, and the bridge folder is
 * made. The profile is sandbox-runtime's, loaded at the first use (27 ms, 11 MB) and not its manager, which would bring proxies into every process.
 */
export async function confine(confinement: Confinement, tools: SandboxTools): Promise<Confine> {
  const { network } = confinement;
  if (network.kind === "only") {
    const wrong = network.domains.find((domain) => !parseDomain(domain));
    if (wrong !== undefined) throw fail(`${JSON.stringify(wrong)} is no domain`, "Write example.com, *.example.com or example.com:8443.");
  }
  for (const folder of [confinement.bridge, ...confinement.writable]) makeFolder(folder);
  const there = (paths: readonly string[]) => [...new Set(paths.flatMap((path) => real(path) ?? []))];
  const writable = there([...confinement.writable, ...confinement.writableIfThere]);
  const readable = there(confinement.readable);
  const bridge = realpathSync(confinement.bridge);
  // The library protects dotfiles of the folder it is called in by files that it puts there. That is never to be a folder of the user's.
  const cwd = real(process.cwd()) ?? "/";
  const around = writable.find((path) => isWithin(cwd, path));
  if (around !== undefined) throw fail(`Stepfall was started in ${cwd}, which is to be writable`, "Start it from a folder that is not.");
  const { wrapCommandWithSandboxLinux } = await import("@anthropic-ai/sandbox-runtime/dist/sandbox/linux-sandbox-utils.js");
  let wrapped: string;
  try {
    wrapped = await wrapCommandWithSandboxLinux({
      command: insideScript(tools.socat),
      binShell: "sh",
      bwrapPath: tools.bwrap,
      needsNetworkRestriction: network.kind === "only",
      // Sockets by path are kept apart by what can be seen; its filter would also forbid those that tests make for themselves.
      allowAllUnixSockets: true,
      // It looks for dotfiles to protect in our own working directory, which is none of the sandbox's.
      ripgrepConfig: { command: "true" },
      allowGitConfig: true,
      readConfig: { denyOnly: ["/", ...there(confinement.denied)], allowWithinDeny: [...readable, bridge] },
      writeConfig: { allowOnly: writable, denyWithinAllow: [] },
    });
  } catch (cause) {
    throw fail((cause as Error).message, "See `stepfall doctor` for what the sandbox needs.", cause);
  }
  const shown = [...writable, ...readable, bridge];
  const given = [...confinement.writable, ...confinement.writableIfThere, ...confinement.readable, confinement.bridge];
  const links = hiddenLinks(given, (folder) => !shown.some((path) => isWithin(folder, path)));
  const prefix = ["/bin/sh", "-c", `trap "" TERM INT; exec ${completed(wrapped, links)} "$@"`, "stepfall"];
  return { prefix, bridge, network, env: environmentOf(network) };
}

/** Completes the profile by what it lacks. Refuses a profile that does not look as it did when this was written. */
function completed(wrapped: string, links: ReadonlyMap<string, string>): string {
  const parts = wrapped.split(" --proc /proc ");
  if (parts.length !== 2 || wrapped.includes(" --args ") || !parts[1]?.includes("--disable-userns"))
    throw fail("sandbox-runtime made another kind of profile than expected", "Use bubblewrap 0.8.0 or later, not installed setuid.");
  const more = [
    "--proc /proc",
    ...coveredInProc.filter((path) => existsSync(path)).map((path) => `--ro-bind ${path} ${path}`),
    ...[...links].map(([link, target]) => `--symlink ${quoted(target)} ${quoted(link)}`),
    "--unshare-ipc --unshare-uts --unshare-cgroup-try",
  ];
  return parts.join(` ${more.join(" ")} `);
}

/** One word for sh. */
const quoted = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`;
