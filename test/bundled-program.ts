import { copyFileSync, cpSync, existsSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "tsdown";
import config from "../tsdown.config.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

/** The program as it is published, below `node_modules`, where an installed package lies as well. */
export interface BundledProgram extends Disposable {
  launcher: string;
  dist: string;
}

/**
 * Packages of many small files that are taken into the bundle, which the published one leaves outside: to find and read them is a third of the time in
 * which a command starts, and the tests start some thousand. test/package runs what is published.
 */
const MANY_FILES =
  /^(zod|ajv|yaml|ai|@ai-sdk|commander|@actions|micromark|mdast|unist|diff|picomatch|@marcbachmann|jsonrepair|fast-uri|eventsource-parser|fastest-levenshtein|@vercel|ulid|smol-toml|hono|@hono|@modelcontextprotocol)/;

/** Bundles the source as it is now. Its processes start in a quarter of the time that those from source take. `more`: further entries, by name. */
export async function bundleProgram(more: Readonly<Record<string, string>> = {}): Promise<BundledProgram> {
  const folder = join(root, "node_modules", ".cache", `stepfall-${process.pid}-${Object.keys(more).join("-")}`);
  rmSync(folder, { recursive: true, force: true });
  const dist = join(folder, "dist");
  if (Array.isArray(config) || typeof config !== "object") throw new TypeError("tsdown.config.ts is expected to hold one object");
  const entry = { ...(config.entry as Record<string, string>), ...more };
  await build({
    ...config,
    entry,
    cwd: root,
    config: false,
    dts: false,
    outDir: dist,
    logLevel: "error",
    deps: { alwaysBundle: [MANY_FILES] },
  });
  mkdirSync(join(folder, "bin"));
  copyFileSync(join(root, "bin/stepfall.js"), join(folder, "bin/stepfall.js"));
  copyFileSync(join(root, "package.json"), join(folder, "package.json"));
  for (const name of ["examples", "schema", "web/dist"])
    if (existsSync(join(root, name))) cpSync(join(root, name), join(folder, name), { recursive: true });
  return {
    launcher: join(folder, "bin/stepfall.js"),
    dist,
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}
