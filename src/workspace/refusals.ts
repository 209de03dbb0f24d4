import { GitFailed, WorkspaceError } from "./errors.ts";
import type { Git } from "./git.ts";
import type { UserConfig } from "./user-config.ts";

/** Refuses, by name, what a run could not do right: partial and broken clones, submodules, LFS. */
export async function refuseUnsupported(git: Git, { top, head, config }: { top: string; head: string; config: UserConfig }): Promise<void> {
  if (config.promisor)
    throw new WorkspaceError(
      "PROJECT_SHALLOW_OBJECTS",
      `${top} is a partial clone: objects are missing until git fetches them.`,
      "Make a full clone (without --filter).",
    );

  const { gitlinks, attributes, modules } = await readHead(git, top, head);
  if (gitlinks.length > 0 || modules)
    throw new WorkspaceError(
      "PROJECT_SUBMODULES",
      `${top} has submodules (${gitlinks.slice(0, 3).join(", ") || ".gitmodules"}), which are not supported yet.`,
      "Run Stepfall in the submodule itself, or in a project without any.",
      {
        paths: gitlinks,
      },
    );
  const lfs = await usingLfs(git, attributes);
  if (lfs.length > 0)
    throw new WorkspaceError(
      "PROJECT_LFS",
      `${top} keeps files in Git LFS (${lfs.join(", ")}), which is not supported yet.`,
      "An agent would see pointers instead of files. Use a project without filter=lfs.",
      {
        paths: lfs,
      },
    );
}

interface HeadTree {
  gitlinks: string[];
  /** Blobs of all .gitattributes. */
  attributes: { path: string; id: string }[];
  /** There is a .gitmodules that is not empty. */
  modules: boolean;
}

const emptyBlobs = new Set([
  "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391",
  "473a0f4c3be8a93681a267e3b1e9a7dcda1185436fe141f7749120a303721813",
]);

async function readHead(git: Git, top: string, head: string): Promise<HeadTree> {
  const answer = await git(["ls-tree", "-r", "-z", "--full-tree", head]).catch((cause: unknown) => {
    if (!(cause instanceof GitFailed)) throw cause;
    throw new WorkspaceError(
      "PROJECT_SHALLOW_OBJECTS",
      `The files of ${head} cannot be read in ${top}: ${cause.stderr.trim()}`,
      "Run `git fsck`, then make a fresh clone.",
      { cause },
    );
  });
  const tree: HeadTree = { gitlinks: [], attributes: [], modules: false };
  // Looked through as bytes: a large tree is not worth a string for each of its paths.
  const text = answer.stdout.toString("latin1");
  for (const found of text.matchAll(
    /(?<=^|\0)(?:160000 commit [0-9a-f]+\t[^\0]*|\d+ blob [0-9a-f]+\t(?:[^\0]*\/)?\.gitattributes|\d+ blob [0-9a-f]+\t\.gitmodules)(?=\0)/g,
  )) {
    const tab = found[0].indexOf("\t");
    const [mode, , id = ""] = found[0].slice(0, tab).split(" ");
    const path = Buffer.from(found[0].slice(tab + 1), "latin1").toString("utf8");
    if (mode === "160000") tree.gitlinks.push(path);
    else if (path === ".gitmodules") tree.modules = !emptyBlobs.has(id);
    else tree.attributes.push({ path, id });
  }
  return tree;
}

async function usingLfs(git: Git, attributes: HeadTree["attributes"]): Promise<string[]> {
  if (attributes.length === 0) return [];
  const { stdout } = await git(["cat-file", "--batch"], { input: attributes.map((a) => `${a.id}\n`).join("") });
  const found: string[] = [];
  let at = 0;
  for (const { path } of attributes) {
    const end = stdout.indexOf("\n", at);
    const size = Number(stdout.subarray(at, end).toString("latin1").split(" ")[2]);
    if (end < 0 || !Number.isInteger(size)) continue;
    const text = stdout.subarray(end + 1, end + 1 + size).toString("utf8");
    if (text.split("\n").some((l) => !l.trimStart().startsWith("#") && /\sfilter=lfs(\s|$)/.test(l))) found.push(path);
    at = end + 1 + size + 1;
  }
  return found;
}
