// npm run build, and before every npm pack: bundles src/ into dist/ with tsdown.config.ts, and web/ into web/dist. tsdown does not run on an old host's Node.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { environment, install, node, root } from "./installed.mjs";

install();
const tsdown = join(root, "node_modules", "tsdown", "dist", "run.mjs");
// What npm pack --json prints must stay alone on stdout.
const done = spawnSync(node, [tsdown, "--log-level", "warn", ...process.argv.slice(2)], {
  cwd: root,
  stdio: ["ignore", 2, 2],
  env: environment(),
});
if (done.status !== 0) process.exit(done.status ?? 1);
// And the dashboard, web/ into web/dist.
const web = spawnSync(node, [join(root, "scripts", "build-web.mjs")], { cwd: root, stdio: ["ignore", 2, 2], env: environment() });
process.exit(web.status ?? 1);
