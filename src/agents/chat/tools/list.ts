import picomatch from "picomatch";
import { isGit, type Tree } from "./tree.ts";

const MOST_FILES = 1000;
/** Folders looked into, over all. A tree with more is listed in part, and the answer says so. */
const MOST_FOLDERS = 20_000;

/** Made by tools, never by hand, and huge. Named in the answer, so that nobody thinks they are not there. */
const skipped = new Set(["node_modules"]);

export interface Listing {
  /** From the top of the tree; symlinks are named, not followed. */
  files: string[];
  isComplete: boolean;
  skipped: string[];
}

/** All files below a folder, depth first, in the order of their names. */
export function filesBelow(tree: Tree, path: string, glob: string | undefined, most: number): Listing {
  const matches = glob === undefined ? () => true : picomatch(glob, { dot: true, basename: !glob.includes("/") });
  const listing: Listing = { files: [], isComplete: true, skipped: [] };
  let folders = 0;
  const visit = (folder: string) => {
    folders += 1;
    for (const entry of tree.entries(folder)) {
      if (listing.files.length >= most || folders >= MOST_FOLDERS) {
        listing.isComplete = false;
        return;
      }
      const name = folder === "" ? entry.name : `${folder}/${entry.name}`;
      if (isGit(entry.name)) continue;
      if (!entry.isDirectory()) {
        if (matches(name)) listing.files.push(name);
      } else if (skipped.has(entry.name)) listing.skipped.push(name);
      else visit(name);
    }
  };
  visit(tree.folder(path, (_, name) => (name === "." ? "" : name)));
  return listing;
}

export function listFiles(tree: Tree, path: string, glob?: string): string {
  const { files, isComplete, skipped: left } = filesBelow(tree, path, glob, MOST_FILES);
  const notes = [
    ...(isComplete ? [] : [`(more than ${MOST_FILES} files: name a folder or a glob)`]),
    ...(left.length > 0 ? [`(not listed: ${left.slice(0, 10).join(", ")}${left.length > 10 ? ", ..." : ""})`] : []),
  ];
  return [...(files.length > 0 ? files : ["no files"]), ...notes].join("\n");
}
