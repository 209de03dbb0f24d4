import { mkdirSync } from "node:fs";
import { launcher as program, type Scene } from "../../src/cli/cli.testkit.ts";
import { createLauncher, openControl, type Control } from "../../src/control/index.ts";

/** A control in this process, on the home of a scene; what it starts are processes of the real program. */
export function controlOf(scene: Scene, more: Readonly<Record<string, string>> = {}): Promise<Control> {
  const env = {
    PATH: process.env["PATH"] ?? "",
    HOME: scene.folder,
    LC_ALL: "C.UTF-8",
    OLLAMA_HOST: "http://127.0.0.1:9",
    ...scene.sandbox,
    ...more,
  };
  mkdirSync(scene.home, { recursive: true, mode: 0o700 });
  const surroundings = { env, cwd: scene.project, home: scene.home, clock: { now: () => Date.now() } };
  return openControl({ surroundings, launcher: createLauncher({ env }, [process.execPath, program]) });
}
