import { access, constants, realpath, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { ourEnvironment, quietFlags, safeFlags, userEnvironment } from "./environment.ts";
import { WorkspaceError } from "./errors.ts";
import { createGit, Slots, type Environment, type Git, type GitAnswer } from "./git.ts";
import { shortHash } from "./naming.ts";
import { refuseUnsupported } from "./refusals.ts";
import { parseStatus } from "./status.ts";
import { readUserConfig, type UserConfig } from "./user-config.ts";

/** What is known of a project when it is opened. All paths are absolute and real. */
export interface ProjectFacts {
  /** Top folder of the work tree it was opened from. */
  top: string;
  /** The repository's folder; that of the main work tree when `top` is a linked one. */
  commonDir: string;
  /** As `commonDir`, or `<commonDir>/worktrees/<name>`. */
  gitDir: string;
  objectsDir: string;
  /** Commit checked out now. */
  head: string;
  /** Branch checked out now; absent when HEAD is detached. */
  branch?: string;
  objectFormat: "sha1" | "sha256";
  /** The history ends early (`git clone --depth`); everything works but what needs older commits. */
  shallow: boolean;
  /** Uncommitted paths, tracked and untracked but not ignored, sorted. */
  dirty: readonly string[];
  gitVersion: string;
}

export interface Project extends ProjectFacts {
  /** The same for every work tree of a repository; for folder names, e.g. of caches. */
  id: string;
  /** The environment it was opened with. */
  env: Environment;
  /** The user's config as it was when the project was opened. */
  config: UserConfig;
}

export interface OpenProjectOptions {
  env: Environment;
  signal?: AbortSignal;
}

/**
 * Finds the project that `dir` lies in, from its top, a subfolder or a linked work tree, and refuses by name what cannot be run on
 * (see WorkspaceErrorCode). Changes nothing. The search runs with the user's own config, so that git's ownership check counts; no
 * program named in any config is started.
 */
export async function openProject(dir: string, { env, signal }: OpenProjectOptions): Promise<Project> {
  const slots = new Slots(4);
  const start = resolve(dir);
  const users = createGit({
    env: { ...userEnvironment(env), GIT_OPTIONAL_LOCKS: "0" },
    flags: ["-C", start, ...quietFlags],
    slots,
    signal,
  });

  await mustBeFolder(start);
  const gitVersion = await supportedVersion(users);
  const found = await find(users, start);
  const ours = createGit({ env: ourEnvironment(env), flags: [`--git-dir=${found.gitDir}`, ...safeFlags], slots, signal });

  const config = await readUserConfig(users, env);
  const [head, branch] = await Promise.all([
    ours(["rev-parse", "--verify", "--quiet", "HEAD^{commit}"], { accept: [0, 1, 128] }),
    ours(["symbolic-ref", "--quiet", "HEAD"], { accept: [0, 1] }),
  ]);
  if (head.code !== 0) throw await withoutHead(ours, found.top, branch);
  const commit = line(head);
  await refuseUnsupported(ours, { top: found.top, head: commit, config });

  const status = await users(
    ["-C", found.top, "status", "--porcelain=v2", "-z", "--untracked-files=all", "--no-renames", "--ignore-submodules=all"],
    {
      env: config.quiet,
    },
  );
  const ref = branch.code === 0 ? line(branch) : "";
  return {
    ...found,
    objectsDir: join(found.commonDir, "objects"),
    head: commit,
    ...(ref.startsWith("refs/heads/") ? { branch: ref.slice("refs/heads/".length) } : {}),
    shallow: await exists(join(found.commonDir, "shallow")),
    dirty: parseStatus(status.stdout)
      .map((e) => e.path)
      .sort(),
    gitVersion,
    id: shortHash(found.commonDir, 16),
    env,
    config,
  };
}

async function supportedVersion(git: Git): Promise<string> {
  const { stdout } = await git(["version"]);
  const text = stdout.toString("utf8").trim().replace("git version ", "");
  const [major = 0, minor = 0] = text.split(".").map(Number);
  if (major > 2 || (major === 2 && minor >= 38)) return text;
  throw new WorkspaceError(
    "GIT_TOO_OLD",
    `git ${text} is too old: \`git merge-tree --write-tree\` came with 2.38.`,
    "Install git 2.38 or newer.",
  );
}

async function find(git: Git, dir: string): Promise<Pick<ProjectFacts, "top" | "commonDir" | "gitDir" | "objectFormat">> {
  const first = await git(["rev-parse", "--is-bare-repository", "--is-inside-work-tree", "--show-object-format"], { accept: [0, 128] });
  if (first.code !== 0) throw notFound(dir, first.stderr);
  const [bare, inside, format] = first.stdout.toString("utf8").split("\n");
  if (bare === "true")
    throw new WorkspaceError(
      "PROJECT_BARE",
      `${dir} is a bare repository: it has no files to work on.`,
      "Clone it and run Stepfall in the clone.",
    );
  if (inside !== "true")
    throw new WorkspaceError("PROJECT_NOT_GIT", `${dir} lies inside a .git folder.`, "Run Stepfall in the project's work tree.");
  // One call each: a folder's name may hold a newline.
  const [top, gitDir, commonDir] = await Promise.all(
    [["--show-toplevel"], ["--absolute-git-dir"], ["--path-format=absolute", "--git-common-dir"]].map(async (what) =>
      realpath(line(await git(["rev-parse", ...what]))),
    ),
  );
  if (!top || !gitDir || !commonDir) throw notFound(dir, "");
  return { top, gitDir, commonDir, objectFormat: format === "sha256" ? "sha256" : "sha1" };
}

function notFound(dir: string, stderr: string): WorkspaceError {
  if (/dubious ownership/.test(stderr))
    return new WorkspaceError(
      "PROJECT_NOT_OWNED",
      `git refuses ${dir}: it belongs to another user.`,
      `If you trust it: git config --global --add safe.directory ${dir}`,
    );
  if (/not a git repository/i.test(stderr))
    return new WorkspaceError(
      "PROJECT_NOT_GIT",
      `${dir} is not in a git repository.`,
      "Run `git init` and commit, or change to your project.",
    );
  return new WorkspaceError("PROJECT_NOT_GIT", `git cannot open ${dir}: ${stderr.trim()}`, "See what `git status` says there.");
}

async function withoutHead(git: Git, top: string, branch: GitAnswer): Promise<Error> {
  const ref = branch.code === 0 ? line(branch) : "HEAD";
  const id = await git(["rev-parse", "--verify", "--quiet", ref], { accept: [0, 1, 128] });
  if (id.code === 0)
    return new WorkspaceError(
      "PROJECT_SHALLOW_OBJECTS",
      `The commit that ${ref} names is not among the objects of ${top}.`,
      "Run `git fsck`, then fetch it again or make a fresh clone.",
    );
  return new WorkspaceError(
    "PROJECT_NO_COMMIT",
    `${top} has no commit yet on ${ref.replace("refs/heads/", "")}.`,
    "A run starts from what is committed. Make a first commit: git add --all && git commit -m start",
  );
}

async function mustBeFolder(dir: string): Promise<void> {
  const cause = await access(join(dir, "."), constants.X_OK).then(
    () => undefined,
    (error: unknown) => error,
  );
  if (cause)
    throw new WorkspaceError("PROJECT_NOT_GIT", `${dir} is not a folder that can be entered.`, "Give the folder of your project.", {
      cause,
    });
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

/** One answer, without the newline git ends it with. */
const line = (answer: GitAnswer): string => answer.stdout.toString("utf8").replace(/\n$/, "");
