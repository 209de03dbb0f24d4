import { lstatSync, unlinkSync } from "node:fs";
import { basename, dirname } from "node:path";
import { z } from "zod";
import { Refused } from "../chat/tools/refused.ts";
import { isGit, Tree } from "../chat/tools/tree.ts";

/** A file that an agent without a workspace of its own hands back. Paths are relative to the top of the workspace. */
export const AnswerFile = z.union([
  z.object({ path: z.string().min(1), content: z.string(), encoding: z.enum(["utf8", "base64"]).default("utf8") }),
  z.object({ path: z.string().min(1), delete: z.literal(true) }),
]);
export type AnswerFile = z.input<typeof AnswerFile>;

export type Applied = { ok: true; changes: readonly string[] } | { ok: false; message: string };

/**
 * Writes and deletes files within the workspace, and nowhere else: an absolute path, `..`, a symlink that leads out and `.git` are
 * refused. The first refusal ends it; what was written before stays, and is the failed attempt's.
 */
export function applyFiles(root: string, files: readonly AnswerFile[]): Applied {
  const changes: string[] = [];
  try {
    const tree = new Tree(root);
    for (const file of files) {
      if ("delete" in file) changes.push(`delete ${remove(tree, file.path)}`);
      else {
        const { isNew, name } = tree.write(file.path, Buffer.from(file.content, file.encoding ?? "utf8"));
        changes.push(`${isNew ? "write" : "edit"} ${name}`);
      }
    }
    return { ok: true, changes };
  } catch (error) {
    // The descriptor a file was reached through says nothing to a person.
    const said = (error as Error).message.replaceAll(/\/proc\/self\/fd\/\d+\/?/g, "");
    return { ok: false, message: `a file of its answer was refused: ${said}` };
  }
}

function remove(tree: Tree, path: string): string {
  const last = basename(path);
  if (path.endsWith("/") || last === "" || last === "." || last === "..") throw new Refused(`${path} is no file`);
  return tree.folder(dirname(path), (at, folder) => {
    const name = folder === "." ? last : `${folder}/${last}`;
    if (name.split("/").some(isGit)) throw new Refused(`${path} is under .git, which is not written to`);
    // A symlink goes itself, wherever it leads.
    const stat = lstatSync(`${at}/${last}`, { throwIfNoEntry: false });
    if (!stat) throw new Refused(`${name} is not there to be deleted`);
    if (stat.isDirectory()) throw new Refused(`${name} is a folder: files are deleted one by one`);
    unlinkSync(`${at}/${last}`);
    return name;
  });
}
