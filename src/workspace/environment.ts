import type { Environment } from "./git.ts";

/** Variables of the user's that a git of ours needs to start; no other gets in, so HOME and GIT_* cannot change what it does. */
const inherited = ["PATH", "TMPDIR", "LD_LIBRARY_PATH", "DEVELOPER_DIR", "SDKROOT"];

/** Author and committer of every commit of ours. */
export const ourIdentity = { name: "Stepfall", email: "stepfall@localhost" };

/** Environment of every git command that is ours and not the user's. */
export function ourEnvironment(env: Environment): Record<string, string> {
  return {
    ...pick(env, (name) => inherited.includes(name)),
    HOME: "/dev/null",
    // Callers match git's English messages.
    LC_ALL: "C",
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_ATTR_NOSYSTEM: "1",
    GIT_TERMINAL_PROMPT: "0",
    GIT_OPTIONAL_LOCKS: "0",
    GIT_LITERAL_PATHSPECS: "1",
    GIT_NO_REPLACE_OBJECTS: "1",
    GIT_NO_LAZY_FETCH: "1",
    GIT_AUTHOR_NAME: ourIdentity.name,
    GIT_AUTHOR_EMAIL: ourIdentity.email,
    GIT_COMMITTER_NAME: ourIdentity.name,
    GIT_COMMITTER_EMAIL: ourIdentity.email,
  };
}

/** What ties a git command to another repository than the one it is pointed at (`git rev-parse --local-env-vars`, but for config). */
const tying = new Set([
  "GIT_DIR",
  "GIT_WORK_TREE",
  "GIT_INDEX_FILE",
  "GIT_OBJECT_DIRECTORY",
  "GIT_ALTERNATE_OBJECT_DIRECTORIES",
  "GIT_COMMON_DIR",
  "GIT_NAMESPACE",
  "GIT_PREFIX",
  "GIT_SHALLOW_FILE",
  "GIT_GRAFT_FILE",
  "GIT_IMPLICIT_WORK_TREE",
  "GIT_INTERNAL_SUPER_PREFIX",
  "GIT_QUARANTINE_PATH",
]);

/** The user's own environment and config, for what they would do by hand: finding the project, and `stepfall merge`. */
export function userEnvironment(env: Environment): Record<string, string> {
  return { ...pick(env, (name) => !tying.has(name)), LC_ALL: "C", GIT_TERMINAL_PROMPT: "0" };
}

/** When a commit is made: epoch milliseconds, cut to git's seconds. */
export function commitDates(at: number): Record<string, string> {
  const date = `@${Math.floor(at / 1000)} +0000`;
  return { GIT_AUTHOR_DATE: date, GIT_COMMITTER_DATE: date };
}

const asFlags = (settings: readonly string[]): string[] => settings.flatMap((setting) => ["-c", setting]);

/** Settings that keep any repository's config from starting a program or from changing what we write. */
export const quietFlags: readonly string[] = asFlags([
  "core.hooksPath=/dev/null",
  "core.fsmonitor=false",
  "core.untrackedCache=false",
  "core.splitIndex=false",
  "core.quotePath=false",
  "core.pager=cat",
  "gc.auto=0",
  "maintenance.auto=false",
  "commit.gpgSign=false",
  "protocol.allow=never",
  "submodule.recurse=false",
  "core.filesRefLockTimeout=10000",
  "core.packedRefsTimeout=10000",
]);

/** For our own calls, after git's ownership check has passed once, in `openProject`. */
export const safeFlags: readonly string[] = [...quietFlags, ...asFlags(["safe.directory=*"])];

/** For work trees that are ours: no end-of-line conversion but the one the project's .gitattributes ask for. */
export const treeFlags: readonly string[] = asFlags([
  "core.autocrlf=false",
  "core.safecrlf=false",
  "core.attributesFile=/dev/null",
  "core.excludesFile=/dev/null",
]);

function pick(env: Environment, wanted: (name: string) => boolean): Record<string, string> {
  const out: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) if (value !== undefined && wanted(name)) out[name] = value;
  return out;
}
