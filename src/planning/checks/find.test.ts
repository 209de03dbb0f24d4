import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkFiles, findChecks } from "./find.ts";

/** A project of these files; those without a text are there and empty. */
const look = (files: Readonly<Record<string, string>>) => findChecks(Object.keys(files), (path) => files[path]);
const gates = (files: Readonly<Record<string, string>>): string[] => look(files).gates.map((g) => g.command);
const setup = (files: Readonly<Record<string, string>>): string[] => look(files).setup.map((s) => s.command);
const pkg = (fields: object): string => JSON.stringify(fields);

describe("a Node project", () => {
  test("is checked by its test, type and lint scripts, in this order, and each says where it comes from", () => {
    const found = look({
      "package.json": pkg({ scripts: { lint: "eslint .", "type-check": "tsc", test: "vitest run", build: "tsc -b" } }),
    });
    expect(found.gates).toEqual([
      { command: "npm test", from: "package.json: scripts.test" },
      { command: "npm run type-check", from: "package.json: scripts.type-check" },
      { command: "npm run lint", from: "package.json: scripts.lint" },
    ]);
    expect(found.setup).toEqual([]);
  });

  test("npm's placeholder is no test, and is named", () => {
    const found = look({ "package.json": pkg({ scripts: { test: 'echo "Error: no test specified" && exit 1' } }) });
    expect(found.gates).toEqual([]);
    expect(found.notes).toEqual(["package.json: scripts.test was left out: it is npm's placeholder."]);
  });

  test.each([
    ["jest --watch", /watches files/],
    ["eslint . --fix", /changes files/],
    ["  ", /empty/],
  ])("the script %j judges nothing", (script, says) => {
    const found = look({ "package.json": pkg({ scripts: { lint: script } }) });
    expect(found.gates).toEqual([]);
    expect(found.notes.join(" ")).toMatch(says);
  });

  test("a build is a check only where there is no better one", () => {
    expect(gates({ "package.json": pkg({ scripts: { build: "tsc", check: "svelte-check" } }) })).toEqual(["npm run check"]);
    expect(gates({ "package.json": pkg({ scripts: { build: "tsc", test: "ava" } }) })).toEqual(["npm test"]);
  });

  test.each([
    ["package-lock.json", "npm test", "npm ci"],
    ["npm-shrinkwrap.json", "npm test", "npm ci"],
    ["pnpm-lock.yaml", "pnpm test", "pnpm install --frozen-lockfile"],
    ["yarn.lock", "yarn run test", "yarn install --frozen-lockfile"],
    ["bun.lock", "bun run test", "bun install --frozen-lockfile"],
    ["bun.lockb", "bun run test", "bun install --frozen-lockfile"],
    ["README.md", "npm test", "npm install --no-package-lock"],
  ])("with %s: %s after %s", (lockfile, gate, install) => {
    const files = {
      "package.json": pkg({ scripts: { test: "t" }, devDependencies: { t: "1" } }),
      [lockfile]: "",
      ".gitignore": "node_modules/\n",
    };
    expect([gates(files), setup(files), look(files).notes]).toEqual([[gate], [install], []]);
  });

  test("without dependencies nothing is installed, even with a lockfile", () => {
    expect(setup({ "package.json": pkg({ scripts: { test: "node --test" }, dependencies: {} }), "package-lock.json": "{}" })).toEqual([]);
  });

  test("packageManager counts where there is no lockfile, and says which yarn it is", () => {
    const modern = { scripts: { test: "t" }, dependencies: { a: "1" }, packageManager: "yarn@4.1.0" };
    expect(setup({ "package.json": pkg(modern), "yarn.lock": "" })).toEqual(["yarn install --immutable"]);
    expect(gates({ "package.json": pkg({ ...modern, packageManager: "pnpm@9.0.0" }) })).toEqual(["pnpm test"]);
  });

  test("node_modules that git does not ignore would be committed: it says so", () => {
    const notes = (ignore: string) => look({ "package.json": pkg({ dependencies: { a: "1" } }), ".gitignore": ignore }).notes.join(" ");
    expect(notes("dist\n")).toMatch(/\.gitignore does not name node_modules/);
    for (const ignore of ["node_modules", "/node_modules/\n", "dist\n**/node_modules\n"]) expect(notes(ignore)).toBe("");
  });

  test("a package.json that is no JSON is a note, not an error", () => {
    for (const text of ["{", "[]", "null", ""])
      expect(look({ "package.json": text })).toMatchObject({ gates: [], notes: [/not a JSON object/] });
  });
});

describe("a Python project", () => {
  test.each([
    [{ "pyproject.toml": "[tool.pytest.ini_options]\n" }, ["python3 -m pytest"], []],
    [{ "pyproject.toml": '[dependency-groups]\ndev = ["pytest"]\n', "uv.lock": "" }, ["uv run --frozen pytest"], ["uv sync --frozen"]],
    [{ "pyproject.toml": 'pytest = "^8"\n', "poetry.lock": "" }, ["poetry run pytest"], ["poetry install --no-interaction"]],
    [{ "requirements.txt": "flask\npytest==8\n" }, ["python3 -m pytest"], []],
    [{ "setup.py": "", "tests/conftest.py": "" }, ["python3 -m pytest"], []],
    [{ "tox.ini": "[tox]\nenvlist = py3\n" }, ["tox"], []],
    [{ "tox.ini": "[pytest]\n" }, ["python3 -m pytest"], []],
    [{ "manage.py": "" }, ["python3 manage.py test"], []],
  ])("%j", (files, gate, install) => {
    expect([gates(files as never), setup(files as never)]).toEqual([gate, install]);
  });

  test("tests that nothing runs are named", () => {
    expect(look({ "setup.py": "", "tests/test_a.py": "" })).toMatchObject({ gates: [], notes: [/no file says what runs them/] });
  });
});

test.each([
  [{ "Cargo.toml": "[package]\n" }, ["cargo test"], []],
  [{ "Cargo.toml": '[workspace]\nmembers = ["a"]\n' }, ["cargo test --workspace"], []],
  [{ "go.mod": "module x\n" }, ["go test ./..."], []],
  [{ "deno.json": '{ "tasks": { "test": "deno test -A" } }' }, ["deno task test"], []],
  [{ "deno.jsonc": '{ // what for\n "imports": { "a": "https://x//y", }, }', "a_test.ts": "" }, ["deno test"], []],
  [{ "pom.xml": "", mvnw: "" }, ["./mvnw --batch-mode test"], []],
  [{ "build.gradle.kts": "", gradlew: "" }, ["./gradlew test"], []],
  [
    { "composer.json": '{"require-dev":{"a/b":"1","php":"8"},"scripts":{"test":["x"]}}' },
    ["composer run-script test"],
    ["composer install --no-interaction"],
  ],
  [{ "composer.json": '{"require":{"php":"8"}}', "phpunit.xml.dist": "" }, ["vendor/bin/phpunit"], []],
  [{ "mix.exs": 'defp deps, do: [{:jason, "~> 1"}]' }, ["mix test"], ["mix deps.get"]],
  [{ Gemfile: "", ".rspec": "" }, ["bundle exec rspec"], ["bundle install"]],
  [{ Gemfile: "", Rakefile: "" }, [], []],
  [{ "App.sln": "" }, ["dotnet test"], []],
  [{ "Package.swift": "" }, ["swift test"], []],
  [{ "pubspec.yaml": "dependencies:\n  flutter:\n    sdk: flutter\n" }, ["flutter test"], ["flutter pub get"]],
  [{ Makefile: "all:\n\techo\ntest: all\n\techo\n" }, ["make test"], []],
  [{ Makefile: "test := 1\nlint:\n\techo\n" }, [], []],
  [{ justfile: "test arg='x':\n  echo\n" }, ["just test"], []],
  [{ "README.md": "" }, [], []],
])("%j is checked by %j", (files, gate, install) => {
  expect([gates(files as never), setup(files as never)]).toEqual([gate, install]);
});

test("several ecosystems are all checked; a Makefile, which mostly calls them, only where nothing else is", () => {
  const files = { "package.json": pkg({ scripts: { test: "t" } }), "Cargo.toml": "", Makefile: "test:\n\tnpm test\n" };
  expect(gates(files)).toEqual(["npm test", "cargo test"]);
});

test("a project whose settings have a setup keeps to it", () => {
  const files = {
    "package.json": pkg({ scripts: { test: "t" }, dependencies: { a: "1" } }),
    "package-lock.json": "",
    ".gitignore": "node_modules",
  };
  for (const own of ["setup: [make deps]\n", "slots: 2\nsetup:\n  - make deps\n"]) {
    const found = look({ ...files, "stepfall.yaml": own });
    expect(found).toMatchObject({ setup: [], notes: [/`npm ci` was left out: stepfall\.yaml has a `setup`/] });
  }
  for (const none of ["slots: 2\n", "setup: []\n", "# setup: [npm ci]\n"])
    expect(setup({ ...files, "stepfall.yaml": none })).toEqual(["npm ci"]);
});

test("whatever the files hold, nothing throws, only files that were named are read, and no command is empty", () => {
  const names = [
    "package.json",
    "pyproject.toml",
    "tox.ini",
    "deno.jsonc",
    "composer.json",
    "Makefile",
    "stepfall.yaml",
    "Cargo.toml",
    "src/test_a.py",
    "x.sln",
  ];
  const text = fc.oneof(fc.string(), fc.json(), fc.constantFrom('{"scripts":{"test":1}}', '{"scripts":[]}', '{"tasks":"test"}', "test:"));
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom(...names), text, { noNullPrototype: true }), (files) => {
      const asked: string[] = [];
      const found = findChecks(Object.keys(files), (path) => (asked.push(path), files[path]));
      const allowed = new Set(checkFiles(Object.keys(files)));
      expect(asked.filter((path) => !allowed.has(path))).toEqual([]);
      for (const { command, from } of [...found.gates, ...found.setup])
        expect([command.trim() !== "", from.trim() !== ""]).toEqual([true, true]);
    }),
  );
});
