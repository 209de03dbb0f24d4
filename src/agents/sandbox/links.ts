import { lstatSync, readlinkSync, realpathSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

/**
 * The links on the way to `paths` that lie where everything is hidden, each with where it really leads: what is shown is shown at its real
 * place only, and a program is told the path that people use (a HOME that is a link, a tool's `current`).
 */
export function hiddenLinks(paths: readonly string[], isHidden: (folder: string) => boolean): Map<string, string> {
  const links = new Map<string, string>();
  for (const path of paths) {
    let walked = "/";
    let left = resolve(path).split("/").filter(Boolean);
    // Links may lead in a circle; the system itself follows 40.
    for (let followed = 0; left.length > 0 && followed < 40;) {
      const next = join(walked, left[0] as string);
      left = left.slice(1);
      const target = targetOf(next);
      if (target === undefined) {
        walked = next;
        continue;
      }
      followed += 1;
      const real = realOf(next);
      if (real !== undefined && walked !== "/" && isHidden(walked)) links.set(next, real);
      left = [...resolve(dirname(next), target).split("/").filter(Boolean), ...left];
      walked = "/";
    }
  }
  return links;
}

function targetOf(path: string): string | undefined {
  try {
    return lstatSync(path).isSymbolicLink() ? readlinkSync(path) : undefined;
  } catch {
    return undefined;
  }
}

function realOf(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}
