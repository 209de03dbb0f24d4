import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { createServer, type Server } from "node:net";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Confine } from "../../src/agents/index.ts";
import { isolation, SandboxScene, sandboxTitle } from "../../src/agents/sandbox/sandbox.testkit.ts";

const isRoot = process.getuid?.() === 0;

/** Everything an attempt has no business with, for real: files, a keeper's socket, another attempt's process, a server of the user's. */
class Surroundings implements AsyncDisposable {
  readonly scene = new SandboxScene();
  readonly other = join(this.scene.stepfallHome, "workspaces/run/test-1");
  readonly keeper = join(this.scene.folder, "user/.local/share/stepfall/keepers/k.sock");
  readonly servers: Server[] = [];
  readonly heard: string[] = [];
  victim!: ChildProcess;
  port = 0;
  gatewayPort = 0;

  async prepare(): Promise<this> {
    const { scene } = this;
    for (const [path, text] of this.secrets()) scene.write(path, text);
    scene.write(this.keeper, "");
    rmSync(this.keeper);
    this.port = ((await this.#listen("server", { host: "127.0.0.1", port: 0 })).address() as AddressInfo).port;
    this.gatewayPort = ((await this.#listen("gateway", { host: "127.0.0.1", port: 0 })).address() as AddressInfo).port;
    // By the folder's short name: a socket's path has its limits.
    const cwd = process.cwd();
    process.chdir(join(this.keeper, ".."));
    await this.#listen("keeper", { path: "k.sock" });
    process.chdir(cwd);
    await this.#listen("abstract", { path: `\0stepfall-test-${process.pid}` });
    this.victim = spawn("sleep", ["1000"], { env: { STEPFALL_GATEWAY_KEY: "SECRET-of-env" }, stdio: "ignore" });
    await once(this.victim, "spawn");
    return this;
  }

  secrets(): [path: string, text: string][] {
    const { stepfallHome: home, userHome, project } = this.scene;
    return [
      [join(home, "stepfall.db"), "SECRET-of-store"],
      [join(home, "secrets"), "SECRET-of-keys"],
      [join(home, "gateway.json"), "SECRET-of-gateway"],
      [join(home, "transcripts/run/test-1.ndjson"), "SECRET-of-transcript"],
      [join(this.other, "tree/a.txt"), "SECRET-of-workspace"],
      [join(this.scene.root, "git/config"), "SECRET-of-git"],
      [join(userHome, ".ssh/id_ed25519"), "SECRET-of-ssh"],
      [join(userHome, ".config/gh/hosts.yml"), "SECRET-of-config"],
      [join(userHome, "other/app/notes.txt"), "SECRET-of-project"],
      [join(project, ".env"), "SECRET-of-dotenv"],
    ];
  }

  async #listen(name: string, where: { host: string; port: number } | { path: string }): Promise<Server> {
    const server = createServer((socket) => {
      this.heard.push(name);
      socket.on("error", () => {});
      socket.end(`SECRET-of-${name}`);
    });
    server.listen(where);
    await once(server, "listening");
    this.servers.push(server);
    return server;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.victim?.kill("SIGKILL");
    for (const server of this.servers) server.close();
    this.scene[Symbol.dispose]();
  }
}

interface Escape {
  title: string;
  command(of: Surroundings): string;
  /** What it has done outside. Absent: it has worked when a secret is in its output. */
  worked?(of: Surroundings): boolean;
}

const connect = (target: string): string => `node -e 'require("net").connect(${target}).on("error", console.error).pipe(process.stdout)'`;
const write = (title: string, path: (of: Surroundings) => string): Escape => ({
  title,
  command: (of) => `echo planted > "${path(of)}"`,
  worked: (of) => existsSync(path(of)) && readFileSync(path(of), "utf8") === "planted\n",
});
const read = (title: string, name: string): Escape => ({
  title,
  command: (of) => `cat "${of.secrets().find(([, text]) => text === `SECRET-of-${name}`)?.[0]}"`,
});

/** Reads first: what works without a sandbox spoils it for those after. */
const escapes: Escape[] = [
  read("reads the store", "store"),
  read("reads the keys of the providers", "keys"),
  read("reads the gateway's record with its admin token", "gateway"),
  read("reads the transcript of another attempt", "transcript"),
  read("reads another workspace", "workspace"),
  read("reads an ssh key", "ssh"),
  read("reads what is in ~/.config", "config"),
  read("reads another project", "project"),
  read("reads a dotenv file of the project", "dotenv"),
  { title: "gets at a secret by a hard link", command: ({ scene }) => `ln "${scene.stepfallHome}/secrets" mine && cat mine` },
  {
    title: "reads the environment of another attempt, with its key for the gateway",
    command: () => "cat /proc/[0-9]*/environ | tr '\\0' '\\n'",
  },
  {
    title: "ends a process of another attempt",
    command: ({ victim }) => `kill -9 ${victim.pid}; sleep 0.2`,
    worked: ({ victim }) => victim.signalCode === "SIGKILL",
  },
  { title: "talks to a server on the machine's loopback", command: ({ port }) => connect(`${port}, "127.0.0.1"`) },
  { title: "talks to a keeper's socket", command: ({ keeper }) => `cd "$(dirname "${keeper}")" && ${connect('"k.sock"')}` },
  { title: "talks to a socket without a path", command: () => connect(`"\\0stepfall-test-${process.pid}"`) },
  { title: "makes a user namespace, in which it could undo mounts", command: () => "unshare --user --map-root-user echo SECRET" },
  ...(isRoot
    ? [
        { title: "opens a kernel setting to write", command: () => "(: >>/proc/sys/kernel/core_pattern) && echo SECRET" },
        { title: "mounts something", command: () => "mkdir -p m && mount -t tmpfs none m && echo SECRET; umount m" },
        { title: "makes a device", command: () => "mknod device b 7 0 && echo SECRET" },
        { title: "reads the machine's password hashes", command: () => "grep -q root: /etc/shadow && echo SECRET" },
      ]
    : []),
  write("writes into the user's HOME", ({ scene }) => join(scene.userHome, ".bashrc")),
  write("writes into the user's checkout", ({ scene }) => join(scene.project, "README.md")),
  write("plants a hook in the project", ({ scene }) => join(scene.project, ".git/hooks/post-commit")),
  write("changes the project's git config", ({ scene }) => join(scene.project, ".git/config")),
  write("writes into the project's objects, which it borrows", ({ scene }) => join(scene.project, ".git/objects/info/alternates")),
  write("changes the git folder that its own work is committed with", ({ scene }) => join(scene.root, "git/config")),
  write("writes into another workspace", ({ other }) => join(other, "tree/a.txt")),
  write("changes the journal", ({ scene }) => join(scene.stepfallHome, "stepfall.db")),
  write("writes into /tmp", ({ scene }) => join(scene.folder, "planted")),
  {
    title: "writes outside through a link in its workspace",
    command: ({ scene }) => `ln -s "${scene.userHome}" out; echo planted > out/.profile`,
    worked: ({ scene }) => existsSync(join(scene.userHome, ".profile")),
  },
  {
    title: "takes the way to the gateway away",
    command: ({ scene }) => `mkdir -p "${scene.root}/net"; echo planted > "${scene.root}/net/planted"`,
    worked: ({ scene }) => existsSync(join(scene.root, "net/planted")),
  },
  {
    title: "moves its workspace away to stand another in its place",
    command: ({ scene }) => `cd /; mv "${scene.tree}" "${scene.root}/old"`,
    worked: ({ scene }) => existsSync(join(scene.root, "old")),
  },
];

describe.skipIf(isolation.kind === "none")(sandboxTitle("an agent that means harm is refused, and would not be without a sandbox"), () => {
  let of: Surroundings;
  let confine: Confine;
  beforeAll(async () => {
    of = await new Surroundings().prepare();
    confine = await of.scene.confine({ kind: "only", gatewayPort: of.gatewayPort, domains: [] });
  });
  afterAll(() => of[Symbol.asyncDispose]());

  test.each(escapes)("it $title", async ({ command, worked }) => {
    const hasWorked = async (confined: boolean): Promise<boolean> => {
      const { stdout } = await of.scene.run(command(of), confined ? { confine } : {});
      return worked ? worked(of) : stdout.includes("SECRET");
    };
    expect(await hasWorked(true), "in the sandbox").toBe(false);
    expect(await hasWorked(false), "without one").toBe(true);
  });

  test("nothing is left of a sandbox: no socket, and no file in the place of what it hid", async () => {
    using scene = new SandboxScene();
    const prepared = await scene.confine({ kind: "only", gatewayPort: of.gatewayPort, domains: ["example.com"] });
    const files = () =>
      readdirSync(scene.folder, { recursive: true, encoding: "utf8" }).filter((name) => !/transcript-\d|\/processes/.test(name));
    const before = files();
    expect((await scene.run("true", { confine: prepared })).exit).toMatchObject({ code: 0 });
    expect(files().toSorted()).toEqual(before.toSorted());
    expect(statSync(prepared.bridge).mode & 0o777).toBe(0o700);
  });
});
