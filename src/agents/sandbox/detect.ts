import { execFile } from "node:child_process";
import { accessSync, constants, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { confinementOf } from "./confinement.ts";
import { confinedArgv } from "./inside.ts";
import { confine, type SandboxTools } from "./wrap.ts";

/** Which isolation can be had on this machine. */
export type Isolation =
  | { kind: "sandbox"; /** For people: `bubblewrap 0.8.0`. */ by: string; tools: SandboxTools }
  | { kind: "none"; /** A sentence. */ why: string; /** What to do about it. */ mend: string };

export interface DetectOptions {
  /** Where bwrap and socat are looked for. */
  path: string;
  platform?: NodeJS.Platform;
}

const debian = "On Debian and Ubuntu: apt-get install bubblewrap socat.";

/** Tried inside a real sandbox; each line of its output is one that did not hold. */
const trial = [
  '[ -e "$1/secret" ] && echo "a hidden file can be read"',
  '(: >"$1/outside") 2>/dev/null',
  "(: >>/proc/sys/kernel/core_pattern) 2>/dev/null && echo 'kernel settings can be written'",
  "(: >/usr/stepfall-trial) 2>/dev/null && { rm -f /usr/stepfall-trial; echo 'the system can be written'; }",
  '[ "$(ls -d /proc/[0-9]* | wc -l)" -lt 20 ] || echo "other processes can be seen"',
  "[ \"$(grep -c : /proc/net/dev)\" = 1 ] || echo 'the network can be reached'",
  ": >made || echo 'the workspace cannot be written'",
  '"$2" -V >/dev/null 2>&1 || echo "socat cannot be run"',
  "echo tried",
].join("\n");

function find(name: string, path: string): string | undefined {
  for (const folder of path.split(":")) {
    if (!folder.startsWith("/")) continue;
    const file = join(folder, name);
    try {
      accessSync(file, constants.X_OK);
      return file;
    } catch {
      // in the next one
    }
  }
  return undefined;
}

/** Says what can be had by really trying it once (some 60 ms): that the programs are installed does not mean that they may. */
export async function detectIsolation({ path, platform = process.platform }: DetectOptions): Promise<Isolation> {
  if (platform !== "linux") {
    const why = platform === "darwin" ? "a sandbox on macOS is not supported yet" : `a sandbox on ${platform} is not supported`;
    return { kind: "none", why, mend: "Run what you do not trust in a Linux machine or container." };
  }
  const [bwrap, socat] = [find("bwrap", path), find("socat", path)];
  if (!bwrap || !socat) {
    const missing = [bwrap ? [] : ["bwrap"], socat ? [] : ["socat"]].flat().join(" and ");
    return { kind: "none", why: `${missing} not found`, mend: debian };
  }
  const tools = { bwrap, socat };
  const folder = mkdtempSync(join(tmpdir(), "stepfall-sandbox-"));
  try {
    const [tree, home, tmp] = ["tree", "home", "tmp"].map((name) => join(folder, name)) as [string, string, string];
    for (const made of [tree, home, tmp]) mkdirSync(made);
    writeFileSync(join(folder, "secret"), "x");
    const confinement = confinementOf({
      workspace: { tree, home, tmp },
      stepfallHome: folder,
      userHome: folder,
      project: folder,
      objects: [],
      caches: [],
      program: [],
      path: "",
      network: { kind: "only", domains: [] },
    });
    const prepared = await confine(confinement, tools);
    const [command, ...args] = confinedArgv(prepared, ["/bin/sh", "-c", trial, "sh", folder, socat], {
      complaint: "trial",
      unset: "",
      ways: "",
    });
    const run = promisify(execFile);
    const options = { cwd: tree, env: { PATH: "/usr/bin:/bin" }, timeout: 10_000, killSignal: "SIGKILL" } as const;
    const tried = await run(command as string, args, options);
    const lines = tried.stdout.trim().split("\n");
    const leaks = lines.filter((line) => line !== "tried");
    if (existsSync(join(folder, "outside"))) leaks.push("files outside the workspace can be written");
    if (lines.at(-1) !== "tried" || leaks.length > 0)
      return {
        kind: "none",
        why: `a trial of bubblewrap failed: ${leaks.join("; ") || "it said nothing"}`,
        mend: "Please report this with your kernel's version.",
      };
    const { stdout: version } = await run(bwrap, ["--version"], options);
    return { kind: "sandbox", by: version.trim(), tools };
  } catch (error) {
    const { stderr, message } = error as Error & { stderr?: string };
    const why = `bubblewrap is installed, and could not start a sandbox: ${(stderr || message).trim().split("\n").at(-1)}`;
    return { kind: "none", why, mend: mendOf(`${stderr} ${message}`) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function mendOf(text: string): string {
  if (/default-signal/.test(text)) return "Install GNU coreutils 8.31 or later.";
  if (/kind of profile|disable-userns/.test(text)) return "Install bubblewrap 0.8.0 or later, not setuid.";
  return "Let this user make user namespaces: sysctl kernel.apparmor_restrict_unprivileged_userns=0 on Ubuntu, user.max_user_namespaces above 0; in a container, allow them in its seccomp profile.";
}
