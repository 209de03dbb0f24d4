// npm test: what CI runs. Installs what is missing, then every check and every suite; ends with `N passed, N failed`.
//   --checks      only the static checks
//   --long        only the suites that npm test leaves out since they take long
//   FILE...       only the tests in these files (passed to vitest)
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { environment, install, installAgents, installDebianPackages, node, root } from "./installed.mjs";

install();
// The whole suite runs the program as it is published; single files run it from source.
const isLong = process.argv.includes("--long");
const bundled =
  isLong || process.argv.slice(2).length === 0 ? { STEPFALL_TEST_BUNDLE: "1", ...(isLong ? { STEPFALL_LONG: "1" } : {}) } : {};
const env = { ...environment(), ...bundled, FORCE_COLOR: process.stdout.isTTY ? "1" : "0" };
const bin = (name) => join(root, "node_modules", ".bin", name);
const args = process.argv.slice(2);
const onlyChecks = args.includes("--checks");
const files = args.filter((a) => a !== "--checks" && a !== "--long");

const checks = [
  ["types", bin("tsc"), ["-p", "tsconfig.json"]],
  ["types of the dashboard", bin("tsc"), ["-p", "web/tsconfig.json"]],
  ["lint", bin("oxlint"), ["--type-aware", "--deny-warnings"]],
  ["format", bin("oxfmt"), ["--check"]],
  ["import rules", bin("depcruise"), ["--config", ".dependency-cruiser.cjs", "--output-type", "err", "src", "web/src"]],
  ["dead code", bin("knip"), []],
];

let passed = 0;
let failed = 0;
let skipped = 0;
const say = (text) => process.stdout.write(`${text}\n`);

if (files.length === 0 && !isLong) {
  for (const [name, command, commandArgs] of checks) {
    const done = spawnSync(command, commandArgs, { cwd: root, env, encoding: "utf8", maxBuffer: 1 << 28 });
    if (done.status === 0) {
      passed += 1;
      say(`ok    ${name}`);
    } else {
      failed += 1;
      say(`FAIL  ${name}\n${done.stdout}${done.stderr}`);
    }
  }
}

if (!onlyChecks) {
  installDebianPackages();
  if (files.length === 0 || files.some((file) => /test\/(agents|sandbox)/.test(file))) installAgents("test/agents", "about 250 MB");
  if (files.length === 0)
    spawnSync(node, [join(root, "scripts", "build-web.mjs"), "--if-needed"], { cwd: root, stdio: ["ignore", 2, 2], env });
  const report = mkdtempSync(join(tmpdir(), "stepfall-test-"));
  const file = join(report, "vitest.json");
  const done = spawnSync(
    node,
    [
      join(root, "node_modules", "vitest", "vitest.mjs"),
      "run",
      "--reporter=default",
      "--reporter=json",
      `--outputFile.json=${file}`,
      ...files,
    ],
    {
      cwd: root,
      env,
      stdio: ["ignore", "inherit", "inherit"],
    },
  );
  try {
    const result = JSON.parse(readFileSync(file, "utf8"));
    passed += result.numPassedTests;
    failed += result.numFailedTests;
    skipped += result.numPendingTests + (result.numTodoTests ?? 0);
    // A file that does not even load counts, and so does a run that ends badly although every test passed.
    const broken = result.testResults.filter((t) => t.status === "failed" && t.assertionResults.length === 0).length;
    failed += broken;
    if (done.status !== 0 && result.numFailedTests + broken === 0) failed += 1;
  } catch (error) {
    say(`vitest left no report: ${error.message}`);
    failed += 1;
  }
  rmSync(report, { recursive: true, force: true });
}

if (skipped > 0) {
  say(`${skipped} skipped: see above for the reason of each.`);
  if (process.env.CI === "true") {
    say("In CI nothing may be skipped.");
    failed += 1;
  }
}
say(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
process.exit(failed === 0 ? 0 : 1);
