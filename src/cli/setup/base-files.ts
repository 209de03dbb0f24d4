import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MAX_YAML_BYTES, readTextFile } from "../../config/index.ts";
import { openWorkspaces, type Project } from "../../workspace/index.ts";

/** Files of the commit that a run will start from. */
export interface BaseFiles {
  files: readonly string[];
  /** Texts of those that were asked for and could be read. */
  texts: ReadonlyMap<string, string>;
}

/**
 * Lists the files of the project's HEAD and reads those that `wanted` names. `includeDirty`: with what is not committed yet, as it is on disk. Leaves
 * nothing behind.
 */
export async function baseFiles(
  project: Project,
  { includeDirty, wanted }: { includeDirty: boolean; wanted: (files: readonly string[]) => readonly string[] },
): Promise<BaseFiles> {
  const scratch = await mkdtemp(join(tmpdir(), "stepfall-look-"));
  const workspaces = openWorkspaces({ project, home: scratch });
  try {
    const committed = await workspaces.list(project.head);
    const dirty = new Set(includeDirty ? project.dirty : []);
    const files = [...new Set([...committed, ...dirty])].filter((path) => !dirty.has(path) || existsSync(join(project.top, path)));
    const texts = await Promise.all(
      wanted(files).map(async (path): Promise<[string, string] | undefined> => {
        if (dirty.has(path)) {
          const read = readTextFile(join(project.top, path), MAX_YAML_BYTES);
          return read.ok ? [path, read.text] : undefined;
        }
        const bytes = await workspaces.readFile(project.head, path);
        return bytes && [path, new TextDecoder().decode(bytes)];
      }),
    );
    return { files, texts: new Map(texts.filter((text) => text !== undefined)) };
  } finally {
    await workspaces.close();
    await rm(scratch, { recursive: true, force: true });
  }
}
