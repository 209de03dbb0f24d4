import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import type { Surroundings } from "../../setup/surroundings.ts";
import type { Launcher } from "../contract.ts";
import { ControlError } from "../errors.ts";

/** Variable by which a started process knows in whose name it acts. */
export const ACTOR_VARIABLE = "STEPFALL_ACTOR";

/**
 * Starts this very program: `program` is its executable and what comes before its own words. A process of its own group, which lives on when
 * whoever started it is killed.
 */
export function createLauncher(cli: Pick<Surroundings, "env">, program: readonly [string, ...string[]]): Launcher {
  const [file, ...first] = program;
  return {
    async launch(words, { cwd, output, actor }) {
      const files: number[] = [];
      try {
        const out = openSync(output, "ax", 0o600);
        files.push(out);
        const err = openSync(`${output}.err`, "a", 0o600);
        files.push(err);
        const child = spawn(file, [...first, ...words], {
          cwd,
          env: { ...cli.env, [ACTOR_VARIABLE]: actor },
          detached: true,
          stdio: ["ignore", out, err],
        });
        const ended = new Promise<number>((resolve) => child.once("exit", (code) => resolve(code ?? 1)));
        await once(child, "spawn");
        child.unref();
        return { pid: child.pid ?? 0, ended };
      } catch (error) {
        throw new ControlError(
          "LAUNCH_FAILED",
          `a process for it cannot be started: ${(error as Error).message}`,
          "Look whether the folder of the project is there, whether the disk has room, and how many processes this machine may run.",
          { cause: error },
        );
      } finally {
        for (const file of files) closeSync(file);
      }
    },
  };
}
