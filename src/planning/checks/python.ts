import type { Checks, FindInEcosystem, ProjectFiles } from "./contract.ts";

const MANIFESTS = [
  "pyproject.toml",
  "setup.py",
  "setup.cfg",
  "requirements.txt",
  "requirements-dev.txt",
  "tox.ini",
  "pytest.ini",
  "Pipfile",
  "noxfile.py",
  "manage.py",
  "conftest.py",
];
const TEST_FILES = /(?:^|\/)(?:test_[^/]*|[^/]*_test)\.py$/;

/** Tools that keep an environment of their own: what installs it, and what runs a program in it. */
const MANAGERS: readonly { lockfile: string; install: string; run: string }[] = [
  { lockfile: "uv.lock", install: "uv sync --frozen", run: "uv run --frozen" },
  { lockfile: "poetry.lock", install: "poetry install --no-interaction", run: "poetry run" },
  { lockfile: "pdm.lock", install: "pdm sync", run: "pdm run" },
  { lockfile: "Pipfile.lock", install: "pipenv sync --dev", run: "pipenv run" },
];

export const findPython: FindInEcosystem = (files) => {
  if (!MANIFESTS.some((name) => files.has(name)) && !files.some(TEST_FILES)) return undefined;
  const found: Checks = { gates: [], setup: [], notes: [] };
  const manager = MANAGERS.find(({ lockfile }) => files.has(lockfile));
  const runner = runnerOf(files);
  if (runner === undefined) {
    if (files.some(TEST_FILES)) found.notes.push("There are Python tests, and no file says what runs them: name it with --gate.");
    return found;
  }
  const { command, from, isSelfContained } = runner;
  if (isSelfContained) {
    found.gates.push({ command, from });
    return found;
  }
  found.gates.push({ command: manager ? `${manager.run} ${command.replace(/^python3 -m /, "")}` : command, from });
  if (manager) found.setup.push({ command: manager.install, from: manager.lockfile });
  else if (files.has("requirements.txt") || /^\s*dependencies\s*=/m.test(files.text("pyproject.toml")))
    found.notes.push("Python packages are taken as they are on this machine: name what installs them with --setup if they are missing.");
  return found;
};

interface Runner {
  command: string;
  from: string;
  /** It makes an environment of its own. */
  isSelfContained: boolean;
}

function runnerOf(files: ProjectFiles): Runner | undefined {
  const runner = (command: string, from: string, isSelfContained = false): Runner => ({ command, from, isSelfContained });
  const pytestSays = whereNamed(files);
  if (pytestSays !== undefined) return runner("python3 -m pytest", pytestSays);
  if (/^\s*\[(?:tox|testenv)/m.test(files.text("tox.ini"))) return runner("tox", "tox.ini", true);
  if (files.has("noxfile.py")) return runner("nox", "noxfile.py", true);
  if (files.has("manage.py")) return runner("python3 manage.py test", "manage.py");
  return undefined;
}

/** The file that names pytest. */
function whereNamed(files: ProjectFiles): string | undefined {
  for (const name of ["pytest.ini", "conftest.py", "tests/conftest.py", "test/conftest.py"]) if (files.has(name)) return name;
  const mentions: readonly (readonly [string, RegExp])[] = [
    ["pyproject.toml", /\bpytest\b/],
    ["tox.ini", /^\s*\[pytest\]/m],
    ["setup.cfg", /^\s*\[tool:pytest\]|\bpytest\b/m],
    ["requirements-dev.txt", /^\s*pytest\b/m],
    ["requirements.txt", /^\s*pytest\b/m],
    ["Pipfile", /^\s*pytest\b/m],
  ];
  return mentions.find(([name, pattern]) => pattern.test(files.text(name)))?.[0];
}
