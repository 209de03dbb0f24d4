import type { Checks, FindInEcosystem, ProjectFiles } from "./contract.ts";
import { isMap, parseJson, textsOf } from "./json.ts";

/** Ecosystems whose tools have one way to run the tests. */

const checks = (gate: string, from: string, setup?: string): Checks => ({
  gates: [{ command: gate, from }],
  setup: setup === undefined ? [] : [{ command: setup, from }],
  notes: [],
});

const findRust: FindInEcosystem = (files) => {
  if (!files.has("Cargo.toml")) return undefined;
  return checks(/^\s*\[workspace\]/m.test(files.text("Cargo.toml")) ? "cargo test --workspace" : "cargo test", "Cargo.toml");
};

const findGo: FindInEcosystem = (files) => (files.has("go.mod") ? checks("go test ./...", "go.mod") : undefined);

const findDeno: FindInEcosystem = (files) => {
  const manifest = ["deno.json", "deno.jsonc"].find((name) => files.has(name));
  if (manifest === undefined) return undefined;
  const parsed = parseJson(files.text(manifest));
  const tasks = isMap(parsed) && isMap(parsed["tasks"]) ? parsed["tasks"] : {};
  if (tasks["test"] !== undefined) return checks("deno task test", `${manifest}: tasks.test`);
  if (files.some(/(?:^|[/._])test\.(?:ts|tsx|mts|js|jsx|mjs)$/)) return checks("deno test", `${manifest} and its test files`);
  return checks("deno check .", manifest);
};

const findMaven: FindInEcosystem = (files) =>
  files.has("pom.xml") ? checks(`${files.has("mvnw") ? "./mvnw" : "mvn"} --batch-mode test`, "pom.xml") : undefined;

const findGradle: FindInEcosystem = (files) => {
  const build = ["build.gradle.kts", "build.gradle", "settings.gradle.kts", "settings.gradle"].find((name) => files.has(name));
  return build === undefined ? undefined : checks(`${files.has("gradlew") ? "./gradlew" : "gradle"} test`, build);
};

const findPhp: FindInEcosystem = (files) => {
  if (!files.has("composer.json")) return undefined;
  const manifest = parseJson(files.text("composer.json"));
  const map = isMap(manifest) ? manifest : {};
  const packages = ["require", "require-dev"].flatMap((key) => [...textsOf(map[key]).keys()]).filter((name) => name.includes("/"));
  const setup = packages.length > 0 ? "composer install --no-interaction" : undefined;
  const scripts = isMap(map["scripts"]) ? map["scripts"] : {};
  if (scripts["test"] !== undefined) return checks("composer run-script test", "composer.json: scripts.test", setup);
  const config = ["phpunit.xml", "phpunit.xml.dist"].find((name) => files.has(name));
  return config === undefined ? undefined : checks("vendor/bin/phpunit", config, setup);
};

const findElixir: FindInEcosystem = (files) => {
  if (!files.has("mix.exs")) return undefined;
  return checks(
    "mix test",
    "mix.exs",
    files.has("mix.lock") || /\{\s*:\w+\s*,\s*"/.test(files.text("mix.exs")) ? "mix deps.get" : undefined,
  );
};

const findRuby: FindInEcosystem = (files) => {
  if (!files.has("Gemfile")) return undefined;
  const none: Checks = { gates: [], setup: [], notes: [] };
  const withGems = (command: string, from: string): Checks => ({
    ...checks(command, from),
    setup: [{ command: "bundle install", from: "Gemfile" }],
  });
  if (files.has(".rspec") || files.some(/^spec\/.*_spec\.rb$/))
    return withGems("bundle exec rspec", files.has(".rspec") ? ".rspec" : "spec/");
  if (files.has("bin/rails")) return withGems("bin/rails test", "bin/rails");
  return /\bTestTask\b|^\s*task\s+:?["']?test\b/m.test(files.text("Rakefile")) ? withGems("bundle exec rake test", "Rakefile") : none;
};

const findDotnet: FindInEcosystem = (files) =>
  files.some(/^[^/]+\.(?:sln|slnx|csproj|fsproj)$/) ? checks("dotnet test", "the solution or project file") : undefined;

const findSwift: FindInEcosystem = (files) => (files.has("Package.swift") ? checks("swift test", "Package.swift") : undefined);

const findDart: FindInEcosystem = (files) => {
  if (!files.has("pubspec.yaml")) return undefined;
  const tool = /^\s+sdk:\s*flutter\b/m.test(files.text("pubspec.yaml")) ? "flutter" : "dart";
  return checks(`${tool} test`, "pubspec.yaml", `${tool} pub get`);
};

export const otherEcosystems: readonly FindInEcosystem[] = [
  findRust,
  findGo,
  findDeno,
  findMaven,
  findGradle,
  findPhp,
  findElixir,
  findRuby,
  findDotnet,
  findSwift,
  findDart,
];

/** Files that call other tools by a name. Mostly they call what was found already, so they count only where nothing was. */
const RECIPES: readonly (readonly [string, RegExp, string])[] = [
  ["GNUmakefile", /^test\s*:(?!=)/m, "make test"],
  ["makefile", /^test\s*:(?!=)/m, "make test"],
  ["Makefile", /^test\s*:(?!=)/m, "make test"],
  ["justfile", /^test\b[^:\n]*:(?!=)/m, "just test"],
  ["Justfile", /^test\b[^:\n]*:(?!=)/m, "just test"],
  ["Taskfile.yml", /^ {2,4}["']?test["']?:/m, "task test"],
  ["Taskfile.yaml", /^ {2,4}["']?test["']?:/m, "task test"],
];

export function findRecipe(files: ProjectFiles): Checks | undefined {
  const found = RECIPES.find(([name, pattern]) => pattern.test(files.text(name)));
  return found && checks(found[2], `${found[0]}: test`);
}
