import { mkdtemp, readFile, rm } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { formatProblems, loadConfig, stepfallHome, type Config, type ConfigFlags, type LoadConfigRequest } from "../config/index.ts";
import { openWorkspaces, type Project } from "../workspace/index.ts";
import type { Surroundings } from "./surroundings.ts";
import { InputProblems } from "./failure.ts";

export const homeOf = (cli: Pick<Surroundings, "home" | "env" | "cwd">): string => cli.home ?? stepfallHome(cli.env, cli.cwd);

const FILE = "stepfall.yaml";

/**
 * All settings, without the agents that are found: see withFound. Throws InputProblems. The project's are those of the commit `at`, so that nothing in a work tree changes what judges it; without
 * `at` the file on disk counts (`--include-dirty`, where it is about to become part of the base, and `doctor`).
 */
export async function loadSettings(
  cli: Surroundings,
  request: {
    project?: Project | undefined;
    at?: string | undefined;
    flags?: ConfigFlags;
    /** Names of secrets that a pipeline uses: hidden in all output, whatever they are called. */
    secrets?: readonly string[] | undefined;
  },
): Promise<Config> {
  const { project, at, flags = {} } = request;
  const text = project && at !== undefined ? await readAt(project, at) : undefined;
  const asked: LoadConfigRequest = {
    env: cli.env,
    cwd: cli.cwd,
    home: homeOf(cli),
    flags,
    ...(request.secrets ? { secretNames: request.secrets } : {}),
    catalogByDefault: true,
    cores: availableParallelism(),
    ...(project ? { projectDir: project.top } : {}),
    ...(text === undefined ? {} : { projectText: text, projectFile: FILE }),
  };
  let loaded = loadConfig(asked);
  // What could be found is a lot of code, and most settings name no agent of it.
  if (!loaded.ok && loaded.problems.some((p) => p.code === "UNKNOWN_AGENT"))
    loaded = loadConfig({ ...asked, mayBeFound: (await import("./found-agents.ts")).mayBeFound });
  if (loaded.ok) return loaded.config;
  throw new InputProblems(loaded.problems, formatProblems(loaded.problems, typeof text === "string" ? { [FILE]: text } : {}));
}

/** What runs will not see: a `stepfall.yaml` on disk that is not the one of HEAD. `undefined` when they are the same, or there is none. */
export async function uncommittedSettings(project: Project): Promise<{ problem: string; hint: string } | undefined> {
  const committed = await readAt(project, project.head);
  const onDisk = await readFile(join(project.top, FILE), "utf8").catch(() => null);
  const same = (text: string | null): string | undefined => text?.replaceAll("\r\n", "\n");
  if (same(committed) === same(onDisk)) return undefined;
  const problem =
    committed === null
      ? `${FILE} is not committed`
      : onDisk === null
        ? `${FILE} is in the last commit and not on disk`
        : `${FILE} differs from the last commit`;
  return { problem, hint: "commit it: runs read it from the commit they start from (or give --include-dirty)." };
}

/** `null`: that commit has no settings. Bad settings must leave nothing behind, so the look goes through a folder of its own. */
async function readAt(project: Project, commit: string): Promise<string | null> {
  const scratch = await mkdtemp(join(tmpdir(), "stepfall-look-"));
  try {
    const workspaces = openWorkspaces({ project, home: scratch });
    const bytes = await workspaces.readFile(commit, FILE);
    await workspaces.close();
    return bytes ? new TextDecoder().decode(bytes) : null;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
