import type { Checks, ProjectFiles, ReadFile } from "./contract.ts";
import { findNode } from "./node.ts";
import { findRecipe, otherEcosystems } from "./others.ts";
import { findPython } from "./python.ts";

/** All that the rules read, in the top folder. Other files only count by being there. */
const READ = new Set(
  [
    "package.json .gitignore stepfall.yaml Cargo.toml deno.json deno.jsonc composer.json mix.exs Rakefile pubspec.yaml",
    "pyproject.toml tox.ini setup.cfg requirements.txt requirements-dev.txt Pipfile",
    "GNUmakefile makefile Makefile justfile Justfile Taskfile.yml Taskfile.yaml",
  ].flatMap((names) => names.split(" ")),
);

/** Those of a project's files that `findChecks` may read. */
export const checkFiles = (files: readonly string[]): string[] => files.filter((path) => READ.has(path));

/**
 * The commands that a project's own files suggest for its tests, types and style, and for what must be installed before. Pure: `files` are
 * the paths of one commit, `read` answers the text of those that `checkFiles` names. Nothing is run: a command that fails on
 * this very commit may be the task.
 */
export function findChecks(files: readonly string[], read: ReadFile): Checks {
  const known = new Set(files);
  const project: ProjectFiles = {
    has: (path) => known.has(path),
    text: (path) => (known.has(path) && READ.has(path) ? (read(path) ?? "") : ""),
    some: (pattern) => files.some((path) => pattern.test(path)),
  };
  const parts = [findNode, findPython, ...otherEcosystems].flatMap((find) => find(project) ?? []);
  const all: Checks = {
    gates: parts.flatMap((part) => part.gates),
    setup: parts.flatMap((part) => part.setup),
    notes: parts.flatMap((part) => part.notes),
  };
  if (all.gates.length === 0) all.gates.push(...(findRecipe(project)?.gates ?? []));
  // The project's settings prepare every workspace already.
  if (all.setup.length > 0 && /^setup:\s*(?!\[\s*\]|$)\S|^setup:\s*\r?\n\s*- /m.test(project.text("stepfall.yaml"))) {
    all.notes.push(`${all.setup.map((s) => `\`${s.command}\``).join(", ")} was left out: stepfall.yaml has a \`setup\` of its own.`);
    all.setup = [];
  }
  return all;
}
