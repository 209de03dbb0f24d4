import type { Environment, Git } from "./git.ts";

/** The parts of the user's git config (all levels) that matter to us. Read once; nothing in it is run. */
export interface UserConfig {
  /** Partial clone: objects may be missing until a fetch. */
  promisor: boolean;
  /** Names of `filter.<name>` that would start a program, git-lfs's among them. */
  filters: readonly string[];
  /** `core.sharedRepository`, so that objects we write are as readable as the user's own. */
  shared?: string;
  /**
   * Environment for a git command that must see the user's config (excludes, line endings) and start no program of it: filters are
   * emptied. As environment, since a `-c` cannot carry a name with `=` in it.
   */
  quiet: Readonly<Record<string, string>>;
}

export async function readUserConfig(git: Git, env: Environment): Promise<UserConfig> {
  const { stdout } = await git(["config", "--list", "-z", "--includes"]);
  const filters = new Set<string>();
  let promisor = false;
  let shared: string | undefined;
  for (const entry of stdout.toString("utf8").split("\0")) {
    const cut = entry.indexOf("\n");
    const key = cut < 0 ? entry : entry.slice(0, cut);
    const value = cut < 0 ? "true" : entry.slice(cut + 1);
    const filter = /^filter\.(.*)\.(clean|smudge|process)$/s.exec(key);
    if (filter?.[1] !== undefined && value !== "") filters.add(filter[1]);
    if (key === "extensions.partialclone" || (/^remote\..*\.promisor$/s.test(key) && isTrue(value))) promisor = true;
    if (key === "core.sharedrepository") shared = value;
  }
  return {
    promisor,
    filters: [...filters],
    ...(shared === undefined ? {} : { shared }),
    quiet: emptied(filters, Number(env.GIT_CONFIG_COUNT) || 0),
  };
}

const isTrue = (value: string): boolean => /^(true|yes|on|1)$/i.test(value);

/** `first`: settings the user's own environment brings; ours come after them. */
function emptied(filters: ReadonlySet<string>, first: number): Record<string, string> {
  const settings = [...filters].flatMap((name) => [
    [`filter.${name}.clean`, ""],
    [`filter.${name}.smudge`, ""],
    [`filter.${name}.process`, ""],
    [`filter.${name}.required`, "false"],
  ]);
  const env: Record<string, string> = { GIT_CONFIG_COUNT: String(first + settings.length) };
  settings.forEach(([key = "", value = ""], i) => {
    env[`GIT_CONFIG_KEY_${first + i}`] = key;
    env[`GIT_CONFIG_VALUE_${first + i}`] = value;
  });
  return env;
}
