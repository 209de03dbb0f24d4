import { join } from "node:path";
import { parseEnv } from "node:util";
import { SecretBox } from "./secret-box.ts";
import { maybeSecretName } from "./secret-names.ts";
import { readTextFile } from "./yaml/text-file.ts";
import type { Environment, ConfigProblem } from "./settings.ts";

const MAX_SECRETS_BYTES = 256 * 1024;

/** Names that dotenv files often hold and that are no secrets; masking `production` would spoil every log. */
const PLAIN_NAMES =
  /^(?:NODE_ENV|CI|PORT|HOST|HOSTNAME|DEBUG|LOG_LEVEL|TZ|LANG|LC_\w+|PATH|HOME|USER|SHELL|TERM|.*_(?:HOST|PORT|ENV|REGION|LEVEL|MODEL))$/;

export interface SecretRequest {
  env: Environment;
  /** Absolute path of the dotenv file named in the settings. */
  dotenv?: string | undefined;
  home: string;
  /** Names the settings ask for by `key-env`: secrets, whatever they are called. */
  named: Iterable<string>;
}

export interface GatheredSecrets {
  secrets: SecretBox;
  problems: ConfigProblem[];
  /** Files that were looked for. A missing one is no problem: the environment may have everything. */
  files: { path: string; isThere: boolean }[];
}

/** Gathers secrets: the environment first, then the dotenv file, then the file `secrets` in the home. */
export function gatherSecrets(request: SecretRequest): GatheredSecrets {
  const { env, dotenv, home } = request;
  const problems: ConfigProblem[] = [];
  const files: GatheredSecrets["files"] = [];
  const read = (path: string, isPrivate: boolean): Map<string, string> => {
    const file = readVariables(path, isPrivate);
    if (!file.ok) problems.push(file.problem);
    files.push({ path, isThere: !file.ok || file.variables !== undefined });
    return file.ok && file.variables ? file.variables : new Map();
  };
  const fromHome = read(join(home, "secrets"), true);
  const fromDotenv = dotenv === undefined ? new Map<string, string>() : read(dotenv, false);
  const fromEnv = new Map(Object.entries(env).flatMap(([name, value]) => (value ? [[name, value] as const] : [])));

  const byName = new Map([...fromHome, ...fromDotenv, ...fromEnv]);
  const named = new Set(request.named);
  const masked = new Set(fromHome.values());
  for (const [name, value] of fromDotenv) if (named.has(name) || maybeSecretName(name) || !PLAIN_NAMES.test(name)) masked.add(value);
  for (const [name, value] of fromEnv) if (named.has(name) || maybeSecretName(name)) masked.add(value);
  for (const value of [...fromEnv.values(), ...fromDotenv.values()]) for (const password of passwordInUrl(value)) masked.add(password);
  return { secrets: new SecretBox(byName, masked), problems, files };
}

/** `postgres://user:PASSWORD@host`: as written, and decoded. */
function passwordInUrl(value: string): string[] {
  if (!/^[a-z][a-z0-9+.-]*:\/\/[^/\s]*@/i.test(value)) return [];
  try {
    const { password } = new URL(value);
    return password === "" ? [] : [password, decodeURIComponent(password)];
  } catch {
    return [];
  }
}

type Variables = { ok: true; variables: Map<string, string> | undefined } | { ok: false; problem: ConfigProblem };

function readVariables(path: string, isPrivate: boolean): Variables {
  const file = readTextFile(path, MAX_SECRETS_BYTES);
  if (!file.ok) return file.problem.code === "FILE_MISSING" ? { ok: true, variables: undefined } : { ok: false, problem: file.problem };
  const no = (code: ConfigProblem["code"], line: number, message: string, hint: string): Variables => ({
    ok: false,
    problem: { code, file: path, line, col: line === 0 ? 0 : 1, message, hint },
  });
  if (isPrivate && (file.mode & 0o077) !== 0) {
    return no("SECRETS_EXPOSED", 0, "Other users of this machine can read this file of secrets", `Run: chmod 600 ${JSON.stringify(path)}`);
  }
  // Quoted values may go over several lines, so single lines can be judged only where there are no quotes.
  const bad = /["'`]/.test(file.text)
    ? -1
    : file.text.split(/\r?\n/).findIndex((l) => l.trim() !== "" && !/^\s*(?:#|(?:export\s+)?[\w.-]+\s*=)/.test(l));
  if (bad >= 0) return no("BAD_VALUE", bad + 1, "This line is not of the form NAME=value", "Correct it, or put `#` in front");
  const parsed = parseEnv(file.text);
  return { ok: true, variables: new Map(Object.entries(parsed).flatMap(([k, v]) => (v ? [[k, v] as const] : []))) };
}
