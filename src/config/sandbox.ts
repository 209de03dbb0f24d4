import { lstatSync, realpathSync } from "node:fs";
import { dirname, isAbsolute, join, normalize, resolve } from "node:path";
import type { Loading } from "./loading.ts";
import { SANDBOX_POLICIES, type SandboxPolicy, type SandboxSettings } from "./settings.ts";
import type { SettingsFile } from "./settings-file.ts";
import { pathFault } from "./yaml/fields.ts";
import { nearest } from "./yaml/nearest.ts";
import { named, shown } from "./yaml/shown.ts";

export const defaultSandbox: SandboxSettings = { policy: "prefer", domains: [], readable: [], writable: [] };

const isPolicy = (text: unknown): text is SandboxPolicy => SANDBOX_POLICIES.some((policy) => policy === text);
/** From the strictest on. */
const stricter = (a: SandboxPolicy, b: SandboxPolicy): SandboxPolicy =>
  SANDBOX_POLICIES.indexOf(a) <= SANDBOX_POLICIES.indexOf(b) ? a : b;

/**
 * The user's words, and of the project's what does not widen them: a project that was cloned must not open the sandbox it is run in. Lists
 * of both files are joined. `dotenv` is the file of secrets that the settings name.
 */
export function gatherSandbox(loading: Loading, dotenv: string | undefined): SandboxSettings {
  return {
    policy: policyOf(loading),
    domains: joined(loading, "domains", (text) => text.toLowerCase()),
    readable: joined(loading, "readable", (text, file, path) =>
      file.kind === "project" ? pathOfProject(loading, text, { file, path, dotenv }) : pathOfUser(loading, text, { file, path }),
    ),
    writable: joined(loading, "writable", (text, file, path) =>
      file.kind === "project"
        ? leftToUser(loading, file, path, "lets processes write outside their workspace")
        : pathOfUser(loading, text, { file, path }),
    ),
  };
}

/** Flag or variable; else the stricter word of the two files. */
function policyOf(loading: Loading): SandboxPolicy {
  const key = "sandbox.policy";
  let policy: SandboxPolicy | undefined;
  for (const file of loading.files) {
    const word = file.settings.sandbox?.policy;
    if (word === undefined) continue;
    if (file.kind === "project" && word === "off") leftToUser(loading, file, ["sandbox", "policy"], "turns the sandbox off");
    const chosen = policy === undefined ? word : stricter(policy, word);
    if (chosen !== policy) loading.origins[key] = loading.originIn(file, ["sandbox", "policy"]);
    policy = chosen;
  }
  const given = loading.given("--sandbox", loading.request.flags?.sandboxPolicy, "STEPFALL_SANDBOX");
  if (given) {
    loading.origins[key] = given.origin;
    if (isPolicy(given.value)) return given.value;
    const near = nearest(String(given.value), SANDBOX_POLICIES);
    const forms = "Give require, prefer or off";
    loading.refuse(given.name, "BAD_VALUE", "This is no policy of the sandbox", near ? `Did you mean ${named(near)}? ${forms}` : forms);
  }
  loading.origins[key] ??= { kind: "default" };
  return policy ?? defaultSandbox.policy;
}

type ListKey = "domains" | "readable" | "writable";

function joined(
  loading: Loading,
  key: ListKey,
  read: (text: string, file: SettingsFile, path: string[]) => string | undefined,
): readonly string[] {
  const all = new Set<string>();
  for (const file of loading.files) {
    const list = file.settings.sandbox?.[key];
    if (list === undefined) continue;
    loading.origins[`sandbox.${key}`] ??= loading.originIn(file, ["sandbox", key]);
    for (const [i, text] of list.entries()) {
      const value = read(text, file, ["sandbox", key, String(i)]);
      if (value !== undefined) all.add(value);
    }
  }
  loading.origins[`sandbox.${key}`] ??= { kind: "default" };
  return [...all];
}

function leftToUser(loading: Loading, file: SettingsFile, path: readonly string[], what: string): undefined {
  const message = `${named(path.slice(0, 2).join("."))} of a project ${what}, and that is not the project's to say`;
  loading.refuseIn(file, "NOT_THE_PROJECTS", path, message, "If you want it, write it into your own config.yaml in Stepfall's folder");
}

interface Where {
  file: SettingsFile;
  path: string[];
}

/** Absolute, or below the user's HOME. */
function pathOfUser(loading: Loading, text: string, { file, path }: Where): string | undefined {
  const home = loading.request.env["HOME"];
  const full = text.startsWith("~/") && home ? join(home, text.slice(2)) : text;
  if (isAbsolute(full) && !full.includes("\n")) {
    const whole = normalize(full).replace(/(?<=.)\/+$/, "");
    if (whole !== "/") return whole;
    loading.refuseIn(file, "BAD_PATH", path, "`/` is the whole machine", "Name the folders that are needed, or write `policy: off`");
    return undefined;
  }
  const message = `"${shown(text, 60)}" is not an absolute path`;
  loading.refuseIn(file, "BAD_PATH", path, message, "Write it like /srv/data or ~/data");
  return undefined;
}

/** Inside the project, by its links too, and nothing that holds secrets by its name. */
function pathOfProject(loading: Loading, text: string, { file, path, dotenv }: Where & { dotenv: string | undefined }): string | undefined {
  const { projectDir, cwd } = loading.request;
  const top = projectDir ?? cwd ?? "/";
  const refuse = (message: string, hint: string): undefined => {
    loading.refuseIn(file, "BAD_PATH", path, message, hint);
  };
  const elsewhere = "Name a folder or file inside the project; others go into your own config.yaml in Stepfall's folder";
  const trimmed = text.replace(/\/+$/, "");
  const fault = pathFault(trimmed === "" ? text : trimmed, "path");
  const full = resolve(top, trimmed);
  const t = `"${shown(text, 60)}"`;
  if (fault) return refuse(`readable: ${fault.message}`, elsewhere);
  if (full === resolve(top)) return refuse(`${t} is the whole project, with its git folder and its secrets`, "Name what is needed of it");
  if (/(?:^|\/)\.(?:env(?:\.[^/]*)?|git)(?:\/|$)/.test(`${trimmed}/`) || (dotenv !== undefined && isWithin(resolve(dotenv), full)))
    return refuse(`${t} holds secrets by its name`, "Name what is needed without them; a step gets secrets by its `env`");
  if (leadsOut(full, resolve(top))) return refuse(`${t} is a link that leads out of the project`, elsewhere);
  return full;
}

const isWithin = (path: string, folder: string): boolean => path === folder || path.startsWith(`${folder}/`);

/** By links. What is not there yet leads where its folder does; a link to what is not there may lead anywhere. */
function leadsOut(path: string, top: string): boolean {
  if (path === top) return false;
  try {
    return !isWithin(realpathSync(path), realpathSync(top));
  } catch {
    return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ?? leadsOut(dirname(path), top);
  }
}
