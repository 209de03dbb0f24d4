// The dashboard: builds web/ into web/dist with vite. Part of `npm run build`; alone: node scripts/build-web.mjs
//   --if-needed   only when something is newer than what was built
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { environment, node, root } from "./installed.mjs";

/** What it is built from. */
const sources = ["web/src", "web/public", "web/index.html", "web/vite.config.ts", "src/domain", "package-lock.json"];
const built = join(root, "web", "dist", "index.html");
const vite = join(root, "node_modules", "vite", "bin", "vite.js");
const lock = join(root, "node_modules", ".cache", "stepfall-web-build");

/** Longer than any build: who held the lock is gone. */
const STALE_MS = 180_000;

function newest(path) {
  const at = join(root, path);
  const { mtimeMs } = statSync(at);
  if (!statSync(at).isDirectory()) return mtimeMs;
  return Math.max(mtimeMs, ...readdirSync(at, { recursive: true }).map((name) => statSync(join(at, name)).mtimeMs));
}

const isFresh = () => existsSync(built) && statSync(built).mtimeMs > Math.max(...sources.map(newest));

/** One build at a time: test files that need it start side by side. */
function takeLock() {
  mkdirSync(join(lock, ".."), { recursive: true });
  for (;;) {
    try {
      return mkdirSync(lock);
    } catch {
      const age = Date.now() - (statSync(lock, { throwIfNoEntry: false })?.mtimeMs ?? 0);
      if (age > STALE_MS) rmSync(lock, { recursive: true, force: true });
      else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
    }
  }
}

if (!existsSync(vite)) {
  process.stderr.write("vite is not installed. Run npm ci in this folder, then try again.\n");
  process.exit(1);
}
const isOnlyIfNeeded = process.argv.includes("--if-needed");
if (isOnlyIfNeeded && isFresh()) process.exit(0);
takeLock();
let status = 0;
try {
  if (!isOnlyIfNeeded || !isFresh()) {
    // What npm pack --json prints must stay alone on stdout.
    const done = spawnSync(node, [vite, "build", "--config", "web/vite.config.ts", "--logLevel", "warn"], {
      cwd: root,
      stdio: ["ignore", 2, 2],
      env: { ...environment(), NODE_ENV: "production" },
    });
    status = done.status ?? 1;
  }
} finally {
  rmSync(lock, { recursive: true, force: true });
}
process.exit(status);
