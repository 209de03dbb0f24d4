import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The real program in a child process, on a real git project, with a home of its own. */

/** From source; bundled in a whole run of the tests (test/global-setup.ts). */
export const launcher = process.env["STEPFALL_TEST_LAUNCHER"] ?? fileURLToPath(new URL("../../bin/stepfall.js", import.meta.url));

/** Whoever runs these tests may have an Ollama: a test that wants one says where. */
const noServer = { OLLAMA_HOST: "http://127.0.0.1:9" };

export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface Running {
  child: ChildProcess;
  /** Resolves when stderr holds the text; rejects when the program ends before. */
  said(text: string | RegExp): Promise<void>;
  ended: Promise<Ended>;
}

export class Scene implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), "stepfall-cli-"));
  readonly project = join(this.folder, "project");
  readonly home = join(this.folder, "home");
  /** Off unless a test is about it: steps of tests leave traces outside their workspace, for the test to see. */
  sandbox: Readonly<Record<string, string>> = { STEPFALL_SANDBOX: "off" };
  readonly #children = new Set<ChildProcess>();

  /** A project with these files committed. */
  constructor(files: Readonly<Record<string, string>> = {}) {
    mkdirSync(this.project);
    this.git("init", "--quiet", "--initial-branch=main");
    this.git("config", "user.name", "Tester");
    this.git("config", "user.email", "tester@localhost");
    this.write({ "README.md": "# A project\n", ...files });
    this.git("add", "--all");
    this.git("commit", "--quiet", "--message", "start");
  }

  write(files: Readonly<Record<string, string>>): void {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(this.project, name)), { recursive: true });
      writeFileSync(join(this.project, name), text);
    }
  }

  git(...args: string[]): string {
    const done = spawnSync("git", args, {
      cwd: this.project,
      encoding: "utf8",
      env: { PATH: process.env["PATH"], HOME: this.folder, GIT_CONFIG_GLOBAL: "/dev/null" },
    });
    if (done.status !== 0) throw new Error(`git ${args.join(" ")}: ${done.stderr}`);
    return done.stdout.trim();
  }

  get homeExists(): boolean {
    return existsSync(this.home);
  }

  start(args: readonly string[], options: { cwd?: string; env?: Record<string, string>; node?: string } = {}): Running {
    const child = spawn(options.node ?? process.execPath, [launcher, ...args], {
      cwd: options.cwd ?? this.project,
      env: {
        PATH: process.env["PATH"],
        HOME: this.folder,
        STEPFALL_HOME: this.home,
        LC_ALL: "C.UTF-8",
        ...noServer,
        ...this.sandbox,
        ...options.env,
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#children.add(child);
    let stdout = "";
    let stderr = "";
    const listeners = new Set<() => void>();
    child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
      for (const listener of listeners) listener();
    });
    const ended = new Promise<Ended>((resolve) => {
      child.once("close", (code, signal) => {
        this.#children.delete(child);
        resolve({ code, signal, stdout, stderr });
      });
    });
    const said = (text: string | RegExp): Promise<void> =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (typeof text === "string" ? !stderr.includes(text) : !text.test(stderr)) return;
          listeners.delete(look);
          resolve();
        };
        listeners.add(look);
        void ended.then(() => reject(new Error(`it ended without saying ${text}:\n${stderr}\n${stdout}`)));
        look();
      });
    return { child, said, ended };
  }

  run(args: readonly string[], options: { cwd?: string; env?: Record<string, string>; node?: string } = {}): Promise<Ended> {
    return this.start(args, options).ended;
  }

  /** Runs with `--json` and answers the objects printed. */
  async json(...args: string[]): Promise<{ code: number | null; values: Record<string, unknown>[] }> {
    const { code, stdout } = await this.run([...args, "--json"]);
    return {
      code,
      values: stdout
        .trim()
        .split("\n")
        .filter(Boolean)
        .map((line) => JSON.parse(line) as Record<string, unknown>),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#children) child.kill("SIGKILL");
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }
}

/** Two steps that each write a file, and a third that reads both. */
export const threeSteps = `name: three
steps:
  a: { command: "echo a > a.txt; echo hello from a", outputs: [a.txt] }
  b: { command: "echo b > b.txt", outputs: [b.txt] }
  both: { command: "cat a.txt b.txt", needs: [a, b], readonly: true, gates: ["test -f a.txt"] }
`;
