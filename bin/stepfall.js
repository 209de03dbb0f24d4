#!/usr/bin/env node
// Plain JavaScript for any Node from 16 on: finds a Node that can run Stepfall and runs it there. No dependencies.
import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import * as nodeModule from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const self = fileURLToPath(import.meta.url);
const here = dirname(self);

/** Type stripping, node:sqlite and all else that Stepfall needs came with 22.18. */
function isGood(version) {
  const [major = 0, minor = 0] = version.replace(/^v/, "").split(".").map(Number);
  return major > 22 || (major === 22 && minor >= 18);
}

/**
 * The binary of a `node` package installed beside Stepfall, in its own node_modules or in one further up; or the folder of one whose
 * install script, which brings the binary, has not run.
 */
function adjacentNode() {
  let broken;
  for (let folder = here; ; folder = dirname(folder)) {
    const found = join(folder, "node_modules", "node");
    const binary = join(found, "bin", process.platform === "win32" ? "node.exe" : "node");
    try {
      if (isGood(JSON.parse(readFileSync(join(found, "package.json"), "utf8")).version)) {
        if (existsSync(binary)) return { binary };
        broken ??= found;
      }
    } catch {
      // Not there, or not a package that can be read: look further up.
    }
    if (dirname(folder) === folder) return { broken };
  }
}

/** Runs this file again on `binary`: its standard streams, signals passed on, its exit code. */
function runOn(binary) {
  const child = spawn(binary, [self, ...process.argv.slice(2)], { stdio: "inherit" });
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"];
  // A Ctrl-C reaches the child by the terminal as well; it takes two that come together for one.
  for (const signal of signals) process.on(signal, () => child.kill(signal));
  child.on("error", (error) => {
    process.stderr.write(`stepfall: ${binary} cannot be started: ${error.message}\n`);
    process.exit(2);
  });
  child.on("exit", (code, signal) => {
    if (!signal) process.exit(code ?? 1);
    for (const name of signals) process.removeAllListeners(name);
    process.kill(process.pid, signal);
  });
}

/** node:sqlite and type stripping announce themselves as experimental; every other warning passes. */
function quietExperimental() {
  const emit = process.emitWarning;
  process.emitWarning = (warning, ...rest) => {
    const said = typeof warning === "string" ? warning : warning.message;
    if (/^SQLite is|^Type Stripping is/.test(said)) return;
    emit.call(process, warning, ...rest);
  };
}

if (isGood(process.versions.node)) {
  quietExperimental();
  nodeModule.enableCompileCache?.();
  const source = join(here, "..", "src", "cli", "main.ts");
  await import(pathToFileURL(existsSync(source) ? source : join(here, "..", "dist", "cli.js")).href);
} else {
  const { binary, broken } = adjacentNode();
  if (binary) runOn(binary);
  else if (broken) {
    process.stderr.write(
      `stepfall needs Node 22.18 or newer; the package ${broken} would bring one, but its install script has not run.\n` +
        `Run \`npm rebuild node\` in ${dirname(dirname(broken))}, and allow its script if npm asks.\n`,
    );
    process.exitCode = 2;
  } else {
    process.stderr.write(
      `stepfall needs Node 22.18 or newer, and this is Node ${process.versions.node}.\n` +
        "Run `npm i node@24` beside it, which brings a Node of its own, or upgrade Node.\n",
    );
    process.exitCode = 2;
  }
}
