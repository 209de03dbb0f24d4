import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import { checkPrefix, placeOf, type Place } from "./create.ts";
import { attemptNames, shortHash, workspacesFolder } from "./naming.ts";
import type { Project } from "./project.ts";
import { removeTree } from "./remove-tree.ts";
import { projectGit } from "./repository-git.ts";

/** A folder below `<home>/workspaces`. */
export interface WorkspaceFolder {
  runId: string;
  /** The attempt's folder, see `workspaceFolderName`. */
  name: string;
  path: string;
}

export async function listWorkspaceFolders(home: string): Promise<WorkspaceFolder[]> {
  const found: WorkspaceFolder[] = [];
  const top = workspacesFolder(home);
  for (const runId of await folders(top)) {
    const names = await folders(join(top, runId));
    for (const name of names) found.push({ runId, name, path: join(top, runId, name) });
    if (names.length === 0) found.push({ runId, name: "", path: join(top, runId) });
  }
  return found;
}

/** What the folder of an attempt's workspace is called. */
export const workspaceFolderName = (attempt: string): string => attemptNames("/", attempt).label;

/** Removes a folder below `<home>/<part>`, whatever an agent has left in it; nothing outside of it. */
export const removeLeftover = (home: string, part: string, path: string): Promise<void> => removeTree(path, join(home, part));

/** The folders of a workspace or a clean checkout. */
export type LeftPlace = Omit<Place, "gitDir"> & { root: string };

/** The folders of an attempt's workspace where an engine that died has left them. */
export const leftWorkspace = (home: string, attempt: string): Promise<LeftPlace | undefined> =>
  wholePlace(attemptNames(home, attempt).root);

/** The clean checkouts of an attempt that an engine has left, by their purpose. Another engine may still be at work in one. */
export async function leftCheckouts(home: string, attempt: string): Promise<Map<string, LeftPlace>> {
  const { root } = attemptNames(home, attempt);
  const found = new Map<string, LeftPlace>();
  for (const name of await folders(root)) {
    const place = name.startsWith(checkPrefix) ? await wholePlace(join(root, name)) : undefined;
    if (place) found.set(name.slice(checkPrefix.length), place);
  }
  return found;
}

async function wholePlace(root: string): Promise<LeftPlace | undefined> {
  const { gitDir: _, ...place } = placeOf(root);
  const there = await Promise.all(Object.values(place).map((folder) => lstat(folder).catch(() => undefined)));
  return there.every((entry) => entry?.isDirectory()) ? { ...place, root } : undefined;
}

/** The folder of a project's shared caches, see `cacheEnvironment`. */
export const cacheFolder = (home: string, projectId: string): string => join(home, "cache", shortHash(projectId, 16));

/** A ref of ours in a project. */
export interface OurRef {
  ref: string;
  runId: string;
  commit: string;
  /** When the commit was made, epoch ms. */
  at: number;
}

/** All refs below `refs/stepfall/`, of whichever run and home. Branches are none of these. */
export async function listOurRefs(project: Project, home: string): Promise<OurRef[]> {
  const format = "--format=%(refname) %(objectname) %(committerdate:unix)";
  const { stdout } = await projectGit(project, home).refs(["for-each-ref", format, "refs/stepfall/"]);
  return stdout
    .toString("utf8")
    .split("\n")
    .flatMap((line): OurRef[] => {
      const [ref = "", commit = "", seconds = ""] = line.split(" ");
      const runId = /^refs\/stepfall\/(?:dirty\/)?([^/]+)/.exec(ref)?.[1];
      return runId === undefined ? [] : [{ ref, runId, commit, at: Number(seconds) * 1000 }];
    });
}

/** Deletes them where they still stand at the same commit; otherwise none of them. */
export async function deleteOurRefs(project: Project, home: string, refs: readonly OurRef[]): Promise<void> {
  const input = refs.map(({ ref, commit }) => `delete ${ref}\0${commit}\0`).join("");
  if (refs.length > 0) await projectGit(project, home).refs(["update-ref", "--no-deref", "-z", "--stdin"], { input });
}

async function folders(path: string): Promise<string[]> {
  const entries = await readdir(path, { withFileTypes: true }).catch(() => []);
  return entries
    .filter((e) => e.isDirectory())
    .map((e) => e.name)
    .sort();
}
