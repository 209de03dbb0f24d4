import type { Checks, FindInEcosystem, FoundCommand, ProjectFiles } from "./contract.ts";
import { isMap, parseJson, textsOf } from "./json.ts";

type PackageManager = "npm" | "pnpm" | "yarn" | "bun";

const LOCKFILES: readonly (readonly [string, PackageManager])[] = [
  ["pnpm-lock.yaml", "pnpm"],
  ["yarn.lock", "yarn"],
  ["bun.lock", "bun"],
  ["bun.lockb", "bun"],
  ["package-lock.json", "npm"],
  ["npm-shrinkwrap.json", "npm"],
];

/** One script of each kind, by the names people give it. */
const KINDS: readonly (readonly string[])[] = [["test"], ["typecheck", "type-check", "check-types", "tsc"], ["lint"]];
/** Only where none of the above is there: they check less, or do more than check. */
const LAST_RESORTS = ["check", "build"];

export const findNode: FindInEcosystem = (files) => {
  if (!files.has("package.json")) return undefined;
  const manifest = parseJson(files.text("package.json"));
  const found: Checks = { gates: [], setup: [], notes: [] };
  if (!isMap(manifest)) {
    found.notes.push("package.json is not a JSON object, so its scripts were not looked at.");
    return found;
  }
  const scripts = textsOf(manifest["scripts"]);
  const { manager, lockfile } = managerOf(files, manifest);
  const add = (name: string): boolean => {
    const script = scripts.get(name);
    if (script === undefined) return false;
    const reason = whyNot(name, script);
    if (reason !== undefined) {
      found.notes.push(reason);
      return false;
    }
    found.gates.push({ command: commandOf(manager, name, script), from: `package.json: scripts.${name}` });
    return true;
  };
  for (const names of KINDS) names.some(add);
  if (found.gates.length === 0) LAST_RESORTS.some(add);
  found.setup.push(...setupOf(files, manifest, manager, lockfile, found.notes));
  return found;
};

/** A lockfile says it; then what the manifest asks for; then npm. */
function managerOf(files: ProjectFiles, manifest: Record<string, unknown>): { manager: PackageManager; lockfile: string | undefined } {
  for (const [lockfile, manager] of LOCKFILES) if (files.has(lockfile)) return { manager, lockfile };
  const asked = /^(npm|pnpm|yarn|bun)@/.exec(String(manifest["packageManager"]))?.[1];
  return { manager: (asked as PackageManager | undefined) ?? "npm", lockfile: undefined };
}

function whyNot(name: string, script: string): string | undefined {
  const left = `package.json: scripts.${name} was left out: `;
  if (script.trim() === "") return `${left}it is empty.`;
  if (/no test specified/i.test(script)) return `${left}it is npm's placeholder.`;
  if (/(?:^|\s)--watch(?:All)?(?:$|\s|=true)/.test(script)) return `${left}it watches files and never ends.`;
  if (/(?:^|\s)--(?:fix|write)(?:$|\s)/.test(script)) return `${left}it changes files (\`${script}\`).`;
  return undefined;
}

function commandOf(manager: PackageManager, name: string, script: string): string {
  const call = name === "test" && (manager === "npm" || manager === "pnpm") ? `${manager} test` : `${manager} run ${name}`;
  // These wait for keys unless they believe they are in CI.
  return /\b(?:react-scripts test|ng test|craco test)\b/.test(script) ? `CI=true ${call}` : call;
}

function setupOf(
  files: ProjectFiles,
  manifest: Record<string, unknown>,
  manager: PackageManager,
  lockfile: string | undefined,
  notes: string[],
): FoundCommand[] {
  const from = ["dependencies", "devDependencies", "optionalDependencies"].find((key) => {
    const list = manifest[key];
    return isMap(list) && Object.keys(list).length > 0;
  });
  const needsInstall = from ?? (manifest["workspaces"] !== undefined || files.has("pnpm-workspace.yaml") ? "workspaces" : undefined);
  if (needsInstall === undefined) return [];
  if (!/^\/?(?:\*\*\/)?node_modules\b/m.test(files.text(".gitignore")))
    notes.push(".gitignore does not name node_modules: what setup installs would become part of the result. Add it first.");
  return [{ command: installOf(files, manifest, manager, lockfile), from: lockfile ?? `package.json: ${needsInstall}` }];
}

/** As the lockfile says, and without writing one: it would become part of the result. */
function installOf(files: ProjectFiles, manifest: Record<string, unknown>, manager: PackageManager, lockfile: string | undefined): string {
  const isLocked = lockfile !== undefined;
  switch (manager) {
    case "npm":
      return isLocked ? "npm ci" : "npm install --no-package-lock";
    case "pnpm":
      return isLocked ? "pnpm install --frozen-lockfile" : "pnpm install --no-lockfile";
    case "yarn": {
      const isClassic = !files.has(".yarnrc.yml") && !/^yarn@[2-9]/.test(String(manifest["packageManager"]));
      if (isLocked) return isClassic ? "yarn install --frozen-lockfile" : "yarn install --immutable";
      return isClassic ? "yarn install --no-lockfile" : "yarn install";
    }
    case "bun":
      return isLocked ? "bun install --frozen-lockfile" : "bun install --no-save";
    default:
      return manager satisfies never;
  }
}
