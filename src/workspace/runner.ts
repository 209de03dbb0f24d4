import { fork, type ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";
import { startGit, type GitCommand, type GitEnd } from "./git-process.ts";

export type ToRunner = { kind: "run"; id: number; command: GitCommand } | { kind: "kill"; id: number };
export type FromRunner = { kind: "ready" } | { kind: "ended"; id: number; end: GitEnd };

/** So many commands are run by this process itself: a short `stepfall ps` needs no runner. */
const fewCommands = 12;

/**
 * Starts git commands, in the runner process (see runner-main.ts) once it is up and there is enough to do. Without it, or after its death,
 * this process starts them itself: the runner only makes it faster.
 */
class GitRunner {
  #started = 0;
  #child: ChildProcess | undefined;
  #isReady = false;
  #isBroken = false;
  #nextId = 1;
  readonly #waiting = new Map<number, (end: GitEnd) => void>();

  start(command: GitCommand): { ended: Promise<GitEnd>; kill: () => void } {
    this.#started += 1;
    if (this.#started > fewCommands && !this.#child && !this.#isBroken) this.#fork();
    const child = this.#child;
    if (!child || !this.#isReady) return startGit(command);
    const id = this.#nextId++;
    const ended = new Promise<GitEnd>((resolve) => {
      this.#waiting.set(id, resolve);
      child.ref();
      child.channel?.ref();
      child.send({ kind: "run", id, command } satisfies ToRunner, (error) => {
        if (error) this.#lost();
      });
    });
    return { ended, kill: () => void (child.connected && child.send({ kind: "kill", id } satisfies ToRunner, () => undefined)) };
  }

  /** Many commands will come: the runner is started now, so that it is up when they do. */
  warmUp(): void {
    if (!this.#child && !this.#isBroken) this.#fork();
  }

  #fork(): void {
    const file = fileURLToPath(new URL(import.meta.url.endsWith(".ts") ? "./runner-main.ts" : "./git-runner.js", import.meta.url));
    // No environment of ours: each command brings its own.
    const child = fork(file, { serialization: "advanced", stdio: ["ignore", "ignore", "ignore", "ipc"], env: {}, execArgv: [] });
    this.#child = child;
    this.#rest();
    child.on("message", (message: FromRunner) => {
      if (message.kind === "ready") {
        this.#isReady = true;
        return;
      }
      const resolve = this.#waiting.get(message.id);
      this.#waiting.delete(message.id);
      this.#rest();
      resolve?.(message.end);
    });
    child.on("error", () => this.#lost());
    child.on("exit", () => this.#lost());
  }

  /** An idle runner keeps nobody's process alive. */
  #rest(): void {
    if (this.#waiting.size > 0) return;
    this.#child?.unref();
    this.#child?.channel?.unref();
  }

  /** The runner is gone: what it was doing is lost (see workspaces.ts), and from now on this process starts git itself. */
  #lost(): void {
    this.#isBroken = true;
    this.#isReady = false;
    this.#child = undefined;
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const resolve of waiting)
      resolve({ code: null, killedBy: "the end of the git runner", stdout: Buffer.alloc(0), stderr: "", wasCut: false, isLost: true });
  }
}

/** One for this process: all projects share it. */
export const gitRunner = new GitRunner();

/** Whoever is about to make work trees says so: the process that starts git for them is then up in time. */
export const expectManyCommands = (): void => gitRunner.warmUp();
