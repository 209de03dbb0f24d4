import { spawn, type ChildProcessByStdio } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { AgentError } from "../errors.ts";

/** Beside this file: the source when run from source, the bundler's entry `keeper-main.js` in dist. */
const main = fileURLToPath(new URL(import.meta.url.endsWith(".ts") ? "./main.ts" : "./keeper-main.js", import.meta.url));

/** A keeper that has no order yet. */
export interface Candidate {
  child: ChildProcessByStdio<Writable, Readable, null>;
  /** It was started ahead of time. */
  isSpare: boolean;
}

/**
 * Keepers that are started before they are needed: Node takes most of the time that an agent's start costs. One that gets no order ends
 * with this process, whose end it sees on its stdin.
 */
export class Spares {
  readonly #home: string;
  readonly #waiting: Candidate["child"][] = [];

  constructor(home: string) {
    this.#home = home;
  }

  /** Has so many ready, soon. Where none can be started, the one who needs one is told. */
  prepare(count: number): void {
    while (this.#waiting.length < count) {
      let child: Candidate["child"];
      try {
        child = this.#start();
      } catch {
        return;
      }
      const forget = (): void => {
        const at = this.#waiting.indexOf(child);
        if (at >= 0) this.#waiting.splice(at, 1);
      };
      child.once("error", forget);
      child.once("exit", forget);
      child.unref();
      for (const stream of [child.stdin, child.stdout]) (stream as unknown as { unref?(): void }).unref?.();
      this.#waiting.push(child);
    }
  }

  take(): Candidate {
    const child = this.#waiting.shift();
    if (!child) return { child: this.#start(), isSpare: false };
    child.ref();
    for (const stream of [child.stdin, child.stdout]) (stream as unknown as { ref?(): void }).ref?.();
    return { child, isSpare: true };
  }

  /** Lets those go that nobody needs. */
  dismiss(): void {
    for (const child of this.#waiting.splice(0)) child.stdin.end();
  }

  #start(): Candidate["child"] {
    const cwd = join(this.#home, "keepers");
    try {
      mkdirSync(cwd, { recursive: true, mode: 0o700 });
    } catch (cause) {
      const message = `${cwd} could not be made: ${(cause as Error).message}`;
      throw new AgentError("AGENT_KEEPER_START", message, "Check that STEPFALL_HOME is writable and has space left.", { cause });
    }
    const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", main], {
      cwd,
      // A session of its own, so that no Ctrl-C and no end of a terminal reaches it; nothing of our environment.
      detached: true,
      env: { PATH: "/usr/bin:/bin", STEPFALL_KEEPER: "1" },
      stdio: ["pipe", "pipe", "ignore"],
    });
    // One that is told of by its end. Without a listener a spare that cannot be started would end this process.
    child.on("error", () => {});
    child.stdin.on("error", () => {});
    return child;
  }
}
