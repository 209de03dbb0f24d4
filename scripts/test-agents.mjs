// npm run test:agents [-- NAME...]: the conformance suite on every real agent there is, in metered mode against a scripted model, and the
// table docs/agents.md of what each passes. Installs about 2 GB of agents the first time. With NAMEs only these, and no table.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { environment, install, installAgents, node, root } from "./installed.mjs";

install();
installAgents("test/agents", "about 250 MB");
installAgents("test/agents/more", "about 2 GB");
const only = process.argv.slice(2);
const report = mkdtempSync(join(tmpdir(), "stepfall-agents-"));
const file = join(report, "vitest.json");
const vitest = [join(root, "node_modules", "vitest", "vitest.mjs"), "run", "--config", "test/agents/more/vitest.config.ts"];
const env = { ...environment(), FORCE_COLOR: process.stdout.isTTY ? "1" : "0", STEPFALL_TEST_AGENTS: only.join(",") };
const done = spawnSync(node, [...vitest, "--reporter=default", "--reporter=json", `--outputFile.json=${file}`], {
  cwd: root,
  env,
  stdio: ["ignore", "inherit", "inherit"],
});
let failed = 1;
try {
  const result = JSON.parse(readFileSync(file, "utf8"));
  failed = result.numFailedTests + (done.status !== 0 && result.numFailedTests === 0 ? 1 : 0);
  if (only.length === 0) {
    const table = spawnSync(node, ["--disable-warning=ExperimentalWarning", join(root, "scripts/write-agents-table.ts"), file], {
      cwd: root,
      env,
      stdio: "inherit",
    });
    if (table.status !== 0) failed += 1;
  }
  process.stdout.write(`${result.numPassedTests} passed, ${failed} failed\n`);
} catch (error) {
  process.stdout.write(`vitest left no report: ${error.message}\n0 passed, 1 failed\n`);
}
rmSync(report, { recursive: true, force: true });
process.exit(failed === 0 ? 0 : 1);
