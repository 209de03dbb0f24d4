import { looksLikePath } from "./paths.ts";

export type JsonPath = { kind: "none" } | { kind: "path"; path: string } | { kind: "two-names"; names: string[] };

/**
 * The path of a record that has a `file` and a `path`: the second is sometimes the folder, sometimes the whole. Where one is
 * outside the tree the answer is the one outside, so that the record is refused; where they contradict, neither is taken.
 */
export function placeJsonPath(file: string | undefined, path: string | undefined, has?: (path: string) => boolean): JsonPath {
  const isFile = (text: string): boolean => looksLikePath(text, has) || (/^[\w@.+-]+(?:\/[\w@.+-]+)+$/.test(text) && !text.endsWith("/"));
  if (file === undefined || path === undefined || path === "" || path === ".") {
    const one = file ?? path;
    return one !== undefined && isFile(one) ? { kind: "path", path: one } : { kind: "none" };
  }
  if (!looksLikePath(file, has)) return looksLikePath(path, has) ? { kind: "path", path } : { kind: "none" };
  if (isOutside(file)) return { kind: "path", path: file };
  const isFolder = path.endsWith("/") || !looksLikePath(path, has);
  if (isOutside(path)) return { kind: "path", path: isFolder ? `${path.replace(/\/$/, "")}/${file}` : path };
  const [name, other] = [clean(file), clean(path)];
  if (isFolder) {
    const folderOfName = name.slice(0, name.lastIndexOf("/") + 1);
    const isAlreadyIn = `/${folderOfName}`.endsWith(`/${other}/`) || name.startsWith(`${other}/`);
    return { kind: "path", path: isAlreadyIn ? name : `${other}/${name}` };
  }
  if (other === name || other.endsWith(`/${name}`)) return { kind: "path", path: other };
  if (name.endsWith(`/${other}`)) return { kind: "path", path: name };
  return { kind: "two-names", names: [name, other] };
}

const clean = (path: string): string => path.replace(/^(?:\.\/)+/, "").replace(/\/+$/, "");

const isOutside = (path: string): boolean => /^(?:\/|~|\\|[A-Za-z]:)/.test(path) || path.split(/[/\\]/).includes("..");
