import { join } from "node:path";
import { shortHash } from "./naming.ts";

/**
 * Download and build caches that the attempts of one project share, so that `setup` is quick though every attempt has a HOME of
 * its own. Only caches that tools lock and address by content or version are here.
 */
const caches: readonly { variable: string; folder: string; why: string }[] = [
  { variable: "npm_config_cache", folder: "npm", why: "content-addressed, checked against the lockfile's hashes" },
  { variable: "YARN_CACHE_FOLDER", folder: "yarn", why: "yarn 1, and yarn 2+ with enableGlobalCache off" },
  { variable: "YARN_GLOBAL_FOLDER", folder: "yarn-global", why: "yarn 2+ keeps its global cache there" },
  { variable: "npm_config_store_dir", folder: "pnpm", why: "pnpm up to 10; see npm_config_package_import_method" },
  { variable: "pnpm_config_store_dir", folder: "pnpm", why: "pnpm from 11 on; see pnpm_config_package_import_method" },
  { variable: "DENO_DIR", folder: "deno", why: "modules by URL, checked against deno.lock" },
  { variable: "PIP_CACHE_DIR", folder: "pip", why: "downloads and wheels" },
  { variable: "UV_CACHE_DIR", folder: "uv", why: "wheels; see UV_LINK_MODE" },
  { variable: "GOMODCACHE", folder: "go-mod", why: "modules by version, read-only, checked against go.sum" },
  { variable: "GOCACHE", folder: "go-build", why: "build results by hash of their inputs" },
  { variable: "COMPOSER_CACHE_DIR", folder: "composer", why: "downloads by version" },
  { variable: "CCACHE_DIR", folder: "ccache", why: "objects by hash of their inputs; see CCACHE_CONFIGPATH" },
  { variable: "SCCACHE_DIR", folder: "sccache", why: "objects by hash of their inputs" },
];

const settings: Readonly<Record<string, string>> = {
  // Otherwise files in a virtual environment are hard links into the cache, and an edit there would reach every attempt.
  UV_LINK_MODE: "copy",
  // The same for node_modules: pnpm makes hard links into its store (measured with 10.34 and 12.21).
  npm_config_package_import_method: "clone-or-copy",
  pnpm_config_package_import_method: "clone-or-copy",
  // A ccache.conf in a shared folder can name a program to run.
  CCACHE_CONFIGPATH: "/dev/null",
};

/**
 * Environment for attempts, gates and `setup` of a project. Pure: makes no folder, the tools do.
 *
 * Left out on purpose: BUN_INSTALL_CACHE_DIR, since bun makes hard links into its cache and no variable stops it: an edit in one attempt's
 * node_modules would be in every other's (measured with 1.4.5). CARGO_HOME and GRADLE_USER_HOME hold config and init scripts beside their caches, through which one attempt
 * could run its code in the gates of another. An attempt can still put a wrong build result into GOCACHE or a compiler cache; who
 * must rule that out does not pass this environment to gates.
 */
export function cacheEnvironment(home: string, projectId: string): Record<string, string> {
  const root = join(home, "cache", shortHash(projectId, 16));
  return { ...Object.fromEntries(caches.map(({ variable, folder }) => [variable, join(root, folder)])), ...settings };
}
