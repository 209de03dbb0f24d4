import { lstat, mkdir, readdir, rmdir } from "node:fs/promises";
import { join, resolve, sep } from "node:path";
import type { Checkout, CheckoutRequest, Workspace, WorkspaceRequest } from "./contract.ts";
import { WorkspaceError } from "./errors.ts";
import { attemptNames, safeStep, workspacesFolder } from "./naming.ts";
import type { Project } from "./project.ts";
import { removeTree } from "./remove-tree.ts";
import { layOutPrivateRepository, layOutRepository } from "./repository.ts";
import type { ProjectGit } from "./repository-git.ts";
import type { RefWriter } from "./refs.ts";

export interface Site {
  project: Project;
  git: ProjectGit;
  home: string;
  refs: RefWriter;
  /** Commits made here. */
  made: Map<string, Made>;
}

/** What is known of a commit of ours, so that git need not be asked. A few hundred bytes an attempt. */
export interface Made {
  tree: string;
  parent: string;
  /** Paths that are surely in it: those it changed and did not remove. */
  holds: readonly string[];
}

export interface Place {
  tree: string;
  home: string;
  tmp: string;
  /** The git folder the orchestrator uses for `tree`. Not told to an agent. */
  gitDir: string;
}

export const placeOf = (root: string): Place => ({
  tree: join(root, "tree"),
  home: join(root, "home"),
  tmp: join(root, "tmp"),
  gitDir: join(root, "git"),
});

export async function createWorkspace(site: Site, { attempt, from, folder = attempt }: WorkspaceRequest): Promise<Workspace> {
  const { root } = attemptNames(site.home, folder);
  const { tree, home, tmp } = await fill(site, root, from);
  return { attempt, root, tree, home, tmp, from };
}

export async function reopenWorkspace(site: Site, { attempt, from, folder = attempt }: WorkspaceRequest): Promise<Workspace | undefined> {
  const { root } = attemptNames(site.home, folder);
  const { tree, home, tmp, gitDir } = placeOf(root);
  const folders = await Promise.all([tree, home, gitDir].map((dir) => lstat(dir).catch(() => undefined)));
  if (folders.some((found) => !found?.isDirectory())) return undefined;
  // Temporary files are nobody's to build on, and may be gone.
  await mkdir(tmp, { recursive: true });
  return { attempt, root, tree, home, tmp, from };
}

/** Folders of clean checkouts, in the attempt's folder, begin like this. */
export const checkPrefix = "check-";

/** A check of the attempt's merge may be at work in its folder by then: it stays, and takes the folder with it when it is over. */
export async function removeWorkspace({ home }: Site, root: string): Promise<void> {
  const within = workspacesFolder(home);
  const isOurs = resolve(root).startsWith(within + sep);
  const names = isOurs ? await readdir(root).catch(() => undefined) : undefined;
  if (names === undefined) return removeTree(root, within);
  await Promise.all(names.filter((name) => !name.startsWith(checkPrefix)).map((name) => removeTree(join(root, name), within)));
  await rmdir(root).catch(() => undefined);
}

export async function createCheckout(site: Site, { attempt, commit, purpose }: CheckoutRequest): Promise<Checkout> {
  const parent = attemptNames(site.home, attempt).root;
  const root = join(parent, `${checkPrefix}${safeStep(purpose)}`);
  const { tree, home, tmp } = await fill(site, root, commit);
  const dispose = async (): Promise<void> => {
    await removeTree(root, workspacesFolder(site.home));
    // A check after the attempt's workspace was removed has made the attempt's folder anew; where more is in it, it stays.
    await rmdir(parent).catch(() => undefined);
  };
  return { tree, home, tmp, [Symbol.asyncDispose]: dispose };
}

/** An empty `root` with a tree of the commit. On failure nothing is left. */
async function fill({ project, git, home }: Site, root: string, commit: string): Promise<Place> {
  const place = placeOf(root);
  await removeTree(root, workspacesFolder(home));
  try {
    // Nobody else on the machine may look: an agent's HOME may come to hold its login.
    await mkdir(root, { recursive: true, mode: 0o700 });
    await Promise.all([place.tree, place.home, place.tmp].map((dir) => mkdir(dir)));
    await layOutRepository(project, { dir: place.gitDir, head: { commit } });
    // Workers pay off above a few thousand files; git starts none for a small tree.
    await git.tree(
      place.gitDir,
      place.tree,
    )(["-c", "checkout.workers=2", "-c", "checkout.thresholdForParallelism=2000", "read-tree", "-u", "--reset", commit]);
    await layOutPrivateRepository(project, place.tree, commit, join(place.gitDir, "index"));
  } catch (cause) {
    await removeTree(root, workspacesFolder(home)).catch(() => {});
    if (cause instanceof WorkspaceError) throw cause;
    throw new WorkspaceError(
      "WORKSPACE_IO",
      `The workspace ${root} cannot be made: ${(cause as Error).message}`,
      "See that the disk has space and the folder can be written to.",
      { cause },
    );
  }
  return place;
}

/** A folder of ours that an agent has removed, or replaced by a link, is not worked in. */
export async function mustBeRealFolder(path: string): Promise<void> {
  const entry = await lstat(path).catch(() => undefined);
  if (entry?.isDirectory()) return;
  throw new WorkspaceError(
    "WORKSPACE_GONE",
    `The work tree ${path} was ${entry ? "replaced by something that is no folder" : "removed"}.`,
    "The attempt did this: nothing of it can be kept. Start another one.",
  );
}
