import picomatch from "picomatch";

/** Whether a path is named by the globs: a name without wildcards also names everything in that folder. */
export function matches(globs: readonly string[]): (path: string) => boolean {
  if (globs.length === 0) return () => false;
  const folders = globs.map((glob) => glob.replace(/^(?:\.?\/)+/, "").replace(/\/+$/, ""));
  if (folders.some((folder) => folder === "" || folder === ".")) return () => true;
  const isMatch = picomatch(
    folders.flatMap((folder) => [folder, `${folder}/**`]),
    { dot: true, nonegate: true },
  );
  return (path) => isMatch(path);
}

/** `a, b, c and 4 more`. */
export function listed(names: readonly string[], most = 5): string {
  const rest = names.length - most;
  return rest > 0 ? `${names.slice(0, most).join(", ")} and ${rest} more` : names.join(", ");
}

export const counted = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? "" : "s"}`;
