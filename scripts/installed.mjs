// Plain JavaScript, no dependencies: runs on the host's Node (>= 20) before anything is installed.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("..", import.meta.url));

/** The Node that the project runs on: the `node` package's, whatever the host has. */
export const node = join(root, "node_modules", ".bin", process.platform === "win32" ? "node.exe" : "node");

/** Installs the npm packages that package-lock.json names, unless they are there. */
export function install() {
  const stamp = join(root, "node_modules", ".stepfall-installed");
  const wanted = createHash("sha256")
    .update(readFileSync(join(root, "package-lock.json")))
    .digest("hex");
  if (existsSync(node) && existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return;
  process.stderr.write("Installing npm packages (once; about 540 MB with the Node that Stepfall runs on)...\n");
  const done = spawnSync("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd: root,
    stdio: ["ignore", 2, 2],
    shell: process.platform === "win32",
  });
  if (done.status !== 0) {
    process.stderr.write("npm ci failed: see above. Is the npm registry reachable?\n");
    process.exit(1);
  }
  if (!existsSync(node)) {
    process.stderr.write("The `node` package did not bring its binary. Run `npm rebuild node` in this folder, then try again.\n");
    process.exit(1);
  }
  writeFileSync(stamp, wanted);
}

/**
 * Installs the real agents of `test/agents` or `test/agents/more`, as their own package-lock.json names them, unless they are there. With the
 * project's Node: on an older one npm takes other packages. Not by npm ci: a lock file made where the registry lacks the programs of other
 * platforms does not name these, which npm ci takes for an error.
 */
export function installAgents(folder, note) {
  const at = join(root, folder);
  const stamp = join(at, "node_modules", ".stepfall-installed");
  const wanted = createHash("sha256")
    .update(readFileSync(join(at, "package-lock.json")))
    .digest("hex");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return;
  process.stderr.write(`Installing the coding agents of ${folder} (once; ${note})...\n`);
  const options = { cwd: at, stdio: ["ignore", 2, 2], shell: process.platform === "win32", env: environment() };
  const done = spawnSync("npm", ["install", "--no-save", "--no-audit", "--no-fund", "--loglevel=error"], options);
  if (done.status !== 0) {
    process.stderr.write(`npm install in ${folder} failed: see above. Is the npm registry reachable?\n`);
    process.exit(1);
  }
  writeFileSync(stamp, wanted);
}

/** Programs that tests need beside npm packages, and the Debian packages that bring them. */
const debianPackages = { bwrap: "bubblewrap", socat: "socat", chromium: "chromium" };

/**
 * Installs what tests of the sandbox and of the dashboard need, on Debian and as root, unless it is there. Elsewhere it says what is missing: the
 * suites that need it skip themselves by name.
 */
export function installDebianPackages() {
  if (process.platform !== "linux") return;
  const has = (program) => (process.env.PATH ?? "").split(":").some((folder) => folder !== "" && existsSync(join(folder, program)));
  const missing = Object.keys(debianPackages).filter((program) => !has(program));
  if (missing.length === 0) return;
  const packages = missing.map((program) => debianPackages[program]).join(" ");
  const aptGet = "/usr/bin/apt-get";
  if (process.getuid?.() !== 0 || !existsSync(aptGet)) {
    process.stderr.write(`${missing.join(" and ")} not found: tests that need them are skipped. On Debian: apt-get install ${packages}\n`);
    return;
  }
  process.stderr.write(`Installing Debian packages (once): ${packages}...\n`);
  const options = { stdio: ["ignore", 2, 2], env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" } };
  spawnSync(aptGet, ["update", "-qq"], options);
  const done = spawnSync(aptGet, ["install", "-y", "-qq", "--no-install-recommends", ...packages.split(" ")], options);
  if (done.status !== 0) process.stderr.write(`apt-get install ${packages} failed: see above. Tests that need them are skipped.\n`);
}

/** The environment with the project's own Node and tools first on PATH. */
export const environment = () => ({ ...process.env, PATH: `${join(root, "node_modules", ".bin")}:${process.env.PATH ?? ""}` });
