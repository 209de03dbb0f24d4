import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { AgentHost, Confine, Exit, SpawnSpec } from "../contract.ts";
import { createLocalHost } from "../host/local.ts";
import { confinementOf, type ConfinementInput } from "./confinement.ts";
import { detectIsolation } from "./detect.ts";
import { confinedHost } from "./host.ts";
import { objectFolders } from "./objects.ts";
import { confine } from "./wrap.ts";

const PATH = process.env["PATH"] ?? "/usr/bin:/bin";
const root = fileURLToPath(new URL("../../..", import.meta.url));

/** What this machine can do; tests of the sandbox say why they are skipped where it cannot. */
export const isolation = await detectIsolation({ path: PATH });
export const sandboxTitle = (title: string): string => (isolation.kind === "sandbox" ? title : `${title} (skipped: ${isolation.why})`);

export interface Ran {
  exit: Exit;
  stdout: string;
  stderr: string;
}

/** A user's HOME, a project with a commit, and a STEPFALL_HOME with one workspace that borrows the project's objects. */
export class SandboxScene implements Disposable {
  readonly folder = realpathSync(mkdtempSync(join(tmpdir(), "stepfall-sandbox-")));
  readonly userHome = join(this.folder, "user");
  readonly project = join(this.userHome, "work/app");
  readonly stepfallHome = join(this.userHome, ".local/share/stepfall");
  readonly root = join(this.stepfallHome, "workspaces/run/build-1");
  readonly tree = join(this.root, "tree");
  readonly home = join(this.root, "home");
  readonly tmp = join(this.root, "tmp");
  readonly caches = join(this.stepfallHome, "cache/0123");
  readonly host: AgentHost = createLocalHost({
    home: this.stepfallHome,
    clock: { now: () => 0 },
    mask: (text) => text,
    grace: { termMs: 500, intMs: 100 },
  });
  /** No other test's: a host ends whatever carries the name. */
  readonly attempt = `run-${basename(this.folder)}/build#1`;
  #count = 0;

  constructor() {
    for (const path of [this.home, this.tmp, this.project]) mkdirSync(path, { recursive: true });
    this.write(join(this.project, "README.md"), "an app\n");
    const git = (cwd: string, ...args: string[]) =>
      execFileSync("git", ["-c", "user.name=u", "-c", "user.email=u@localhost", ...args], { cwd, stdio: "pipe", env: { PATH } });
    git(this.project, "init", "-q");
    git(this.project, "add", ".");
    git(this.project, "commit", "-q", "-m", "first");
    git(this.root, "clone", "-q", "--shared", this.project, this.tree);
  }

  write(path: string, text: string): string {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    return path;
  }

  async confine(network: ConfinementInput["network"], more: Partial<ConfinementInput> = {}): Promise<Confine> {
    if (isolation.kind === "none") throw new Error(isolation.why);
    const { userHome, stepfallHome, project, tree, home, tmp } = this;
    const objects = objectFolders(join(project, ".git/objects"));
    const given = {
      workspace: { tree, home, tmp },
      userHome,
      stepfallHome,
      project,
      objects,
      caches: [this.caches],
      program: [root],
      path: PATH,
    };
    return confine(confinementOf({ ...given, network, ...more }), isolation.tools);
  }

  spec(command: string, more: Partial<SpawnSpec> = {}): SpawnSpec {
    return {
      attempt: this.attempt,
      role: "agent",
      argv: ["sh", "-c", command],
      cwd: this.tree,
      env: { PATH, HOME: this.home, TMPDIR: this.tmp },
      deadlineMs: 20_000,
      transcript: join(this.folder, `transcript-${(this.#count += 1)}.ndjson`),
      ...more,
    };
  }

  async run(command: string, more: Partial<SpawnSpec> = {}): Promise<Ran> {
    const handle = await this.host.spawn(this.spec(command, more));
    const lines: { stream: string; text: string }[] = [];
    for await (const line of handle.lines()) lines.push(line);
    const of = (stream: string) => lines.filter((line) => line.stream === stream).map((line) => line.text);
    return { exit: await handle.settle(), stdout: of("stdout").join("\n"), stderr: of("stderr").join("\n") };
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** For `within` of the conformance suite: all that the executor starts is confined to the suite's workspace. */
export async function inSandbox(
  host: AgentHost,
  { folder, gateway }: { folder: string; gateway: { url: string } | undefined },
): Promise<AgentHost> {
  if (isolation.kind === "none") throw new Error(isolation.why);
  const confinement = confinementOf({
    workspace: { tree: join(folder, "tree"), home: join(folder, "home"), tmp: join(folder, "tmp") },
    stepfallHome: folder,
    userHome: join(folder, "user"),
    project: join(folder, "project"),
    objects: [],
    caches: [],
    program: [root],
    path: PATH,
    network: { kind: "only", domains: [], ...(gateway ? { gatewayPort: Number(new URL(gateway.url).port) } : {}) },
  });
  return confinedHost(host, await confine(confinement, isolation.tools));
}
