import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "tsdown";
import config from "../../tsdown.config.ts";

/** The program under test, as it is published, with the engine that stops at its commits beside it. */
export interface Program extends Disposable {
  launcher: string;
  engine: string;
}

const root = fileURLToPath(new URL("../..", import.meta.url));

/** Bundled into a folder of its own: a long run tests one state of the source, whatever is edited meanwhile, and starts processes in a third of the time. */
export async function bundleProgram(): Promise<Program> {
  const folder = mkdtempSync(join(tmpdir(), "stepfall-crash-program-"));
  const dist = join(folder, "dist");
  if (Array.isArray(config) || typeof config !== "object") throw new TypeError("tsdown.config.ts is expected to hold one object");
  await build({
    ...config,
    entry: { ...(config.entry as Record<string, string>), "crash-engine": "test/crash/engine-process.ts" },
    cwd: root,
    config: false,
    dts: false,
    outDir: dist,
    logLevel: "error",
  });
  mkdirSync(join(folder, "bin"));
  copyFileSync(join(root, "bin/stepfall.js"), join(folder, "bin/stepfall.js"));
  copyFileSync(join(root, "package.json"), join(folder, "package.json"));
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  return {
    launcher: join(folder, "bin/stepfall.js"),
    engine: join(dist, "crash-engine.js"),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}
