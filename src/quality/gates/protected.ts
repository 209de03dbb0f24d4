import picomatch from "picomatch";
import type { Step } from "../../domain/index.ts";

/** File names by which the common test runners find tests, and the files that tell them which. */
const TEST_FILES = [
  "**/{test,tests,__tests__,spec,specs}/**",
  "**/*.{test,spec}.*",
  "**/*_{test,spec}.*",
  "**/test_*.*",
  "**/{conftest.py,pytest.ini,tox.ini,phpunit.xml}",
  "**/{vitest,jest,playwright,karma,ava}.config.*",
  "**/.mocharc*",
];

const RUNS_TESTS = /\b(test|tests|spec|pytest|vitest|jest|mocha|ava|tap|rspec|phpunit|ctest|check|verify)\b/;

/**
 * Globs whose content is always what it was before the attempt while a step is judged, and so in what is merged.
 *
 * `stepfall.yaml` and the project's `protected` always; then the step's own `protected`. A step that does not say gets what judges it:
 * the files that its gate commands name (a folder means the files in it), and, when a gate runs tests (`regression` always does), the
 * test files that existed before. New files are not protected by this default, so a step may still add tests; a step
 * that is meant to change existing ones says `protected: []`.
 */
export function protectedPaths(step: Step, projectProtected: readonly string[], filesBefore: readonly string[]): string[] {
  const always = ["stepfall.yaml", ...projectProtected];
  if (step.protected) return [...always, ...step.protected];
  const exact = new Set<string>();
  const tests = picomatch(TEST_FILES, { dot: true });
  for (const gate of step.gates) {
    if (gate.kind === "schema" && "file" in gate.schema) addNamed(gate.schema.file, filesBefore, exact);
    if (gate.kind !== "command" && gate.kind !== "regression") continue;
    for (const word of gate.command.split(/[\s"'=;|&()<>]+/)) addNamed(word, filesBefore, exact);
    if (/\bmake\b/.test(gate.command)) addNamed("Makefile", filesBefore, exact);
    if (gate.kind === "regression" || RUNS_TESTS.test(gate.command)) for (const file of filesBefore) if (tests(file)) exact.add(file);
  }
  // What the step itself declares as its output is not what judges it.
  const declared = step.outputs.files.length > 0 ? picomatch([...step.outputs.files], { dot: true }) : () => false;
  return [...always, ...[...exact].filter((file) => !declared(file)).map(literal)];
}

function addNamed(word: string, filesBefore: readonly string[], into: Set<string>): void {
  const path = word.replace(/^\.\//, "").replace(/\/+$/, "");
  if (path === "" || path === ".") return;
  const isMatch = /[*?[{]/.test(path) ? picomatch(path, { dot: true }) : undefined;
  for (const file of filesBefore) if (file === path || file.startsWith(`${path}/`) || isMatch?.(file)) into.add(file);
}

/** A file name as a glob that names only it. */
const literal = (path: string): string => path.replace(/[\\*?[\]{}()!+@|]/g, "\\$&");

const PACKAGE_SCRIPT = /\b(?:npm|pnpm|yarn|bun)\s+(?:run(?:-script)?\s+)?([\w:.-]+)/g;

/** Names of the package.json scripts that a gate command runs. */
export function scriptsRun(command: string): string[] {
  return [...command.matchAll(PACKAGE_SCRIPT)].flatMap((m) => {
    const name = m[1] === "t" ? "test" : m[1];
    return name ? [`pre${name}`, name, `post${name}`] : [];
  });
}
