import { randomBytes } from "node:crypto";
import { rename, rm, stat } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { ourEnvironment, quietFlags, safeFlags, treeFlags, userEnvironment } from "./environment.ts";
import { createGit, Slots, type Git } from "./git.ts";
import type { Project } from "./project.ts";
import { layOutRepository } from "./repository.ts";
import { shortHash } from "./naming.ts";

/** The five ways in which we run git on one project. */
export interface ProjectGit {
  /**
   * In the project's own repository: for refs and history, nothing else. Its config cannot start a program in these commands
   * (hooks are off), and there is no work tree.
   */
  refs: Git;
  /**
   * In an empty repository of ours that has the project's objects: for everything that reads or writes objects. Merge drivers,
   * text conversion and diff programs of the project's config are unknown there.
   */
  objects: Git;
  /** In a work tree of ours with the git folder that belongs to it. Writes objects into the project's store: nothing is ever transferred. */
  tree(gitDir: string, tree: string): Git;
  /** On the user's checkout, to look at it: their excludes and line endings count, no program of their config is started. Used with an index of ours. */
  dirty: Git;
  /** As the user would, in their checkout, with their config, hooks and signing. */
  user: Git;
}

export function projectGit(project: Project, home: string, signal?: AbortSignal): ProjectGit {
  const slots = new Slots(Math.max(4, 2 * availableParallelism()));
  const shared = project.config.shared === undefined ? [] : ["-c", `core.sharedRepository=${project.config.shared}`];
  const env = { ...ourEnvironment(project.env), GIT_OBJECT_DIRECTORY: project.objectsDir };
  const flags = [...safeFlags, ...shared];
  const desk = join(home, "desks", shortHash(`${project.commonDir}\0${project.objectFormat}`, 16));
  const atDesk = createGit({
    env: { ...env, ...(project.shallow ? { GIT_SHALLOW_FILE: join(project.commonDir, "shallow") } : {}) },
    flags: ["-C", desk, `--git-dir=${desk}`, ...flags, ...treeFlags],
    slots,
    signal,
  });
  let laidOut: Promise<void> | undefined;
  return {
    refs: createGit({
      env: ourEnvironment(project.env),
      flags: ["-C", project.commonDir, `--git-dir=${project.commonDir}`, ...flags],
      slots,
      signal,
    }),
    objects: async (args, options) => {
      laidOut ??= layOutOnce(project, desk);
      await laidOut;
      return atDesk(args, options);
    },
    tree: (gitDir, tree) =>
      createGit({ env, flags: ["-C", tree, `--git-dir=${gitDir}`, `--work-tree=${tree}`, ...flags, ...treeFlags], slots, signal }),
    dirty: createGit({
      env: { ...userEnvironment(project.env), ...project.config.quiet, GIT_OPTIONAL_LOCKS: "0", GIT_LITERAL_PATHSPECS: "1" },
      flags: ["-C", project.top, `--git-dir=${project.gitDir}`, `--work-tree=${project.top}`, ...quietFlags, ...shared],
      slots,
      signal,
    }),
    user: createGit({ env: userEnvironment(project.env), flags: ["-C", project.top], slots, signal }),
  };
}

/** Several processes may do this at once; none may see it half done. */
async function layOutOnce(project: Project, desk: string): Promise<void> {
  if (await stat(desk).catch(() => undefined)) return;
  const draft = `${desk}.${randomBytes(6).toString("hex")}`;
  await layOutRepository(project, { dir: draft, head: { commit: project.head } });
  await rename(draft, desk).catch(() => rm(draft, { recursive: true, force: true }));
}
