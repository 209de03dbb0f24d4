// npm run bench -- NAME [--json] [--data DIR]: runs bench/NAME.ts on the project's Node.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { environment, install, installAgents, node, root } from "./installed.mjs";

const [name, ...args] = process.argv.slice(2);
const folder = join(root, "bench");
const names = readdirSync(folder)
  .filter((f) => f.endsWith(".bench.ts"))
  .map((f) => f.replace(".bench.ts", ""));
if (!name || !/^[a-z-]+$/.test(name) || !existsSync(join(folder, `${name}.bench.ts`))) {
  process.stderr.write(
    `${name ? `There is no benchmark ${name}.` : "Which benchmark?"} There are: ${names.join(", ")}.\nUsage: npm run bench -- NAME [--json] [--data DIR]\n`,
  );
  process.exit(2);
}
install();
if (name === "agents" || name === "recovery") installAgents("test/agents", "about 250 MB");
const done = spawnSync(node, ["--disable-warning=ExperimentalWarning", "--expose-gc", join(folder, `${name}.bench.ts`), ...args], {
  cwd: process.env.INIT_CWD ?? root,
  stdio: "inherit",
  env: environment(),
});
process.exit(done.status ?? 1);
