import picomatch from "picomatch";

export type Matcher = (path: string) => boolean;

/**
 * Whether a path is named by the globs. `*` also matches dot files, and a glob that starts with `!` takes paths out again. A name without wildcards, or a glob that ends with `/`, names everything in that folder. Names without a wildcard are looked up and not tried one by one: lists of thousands are usual.
 */
export function matcher(globs: readonly string[], options: { ignoreCase?: boolean } = {}): Matcher {
  const inside = group(
    globs.filter((g) => !g.startsWith("!")),
    options.ignoreCase ?? false,
  );
  const outside = group(
    globs.filter((g) => g.startsWith("!")).map((g) => g.slice(1)),
    options.ignoreCase ?? false,
  );
  return (path) => inside(path) && !outside(path);
}

function group(globs: readonly string[], ignoreCase: boolean): Matcher {
  const fold = (path: string): string => (ignoreCase ? path.toLowerCase() : path);
  const names = new Set<string>();
  const patterns: string[] = [];
  for (const glob of globs.map(withoutRoot)) {
    const folder = glob.replace(/\/+$/, "");
    if (folder === "" || folder === ".") patterns.push("**");
    else if (!hasWildcard(folder)) names.add(fold(folder.replace(/\\(.)/g, "$1")));
    else if (glob.endsWith("/")) patterns.push(`${folder}/**`);
    else patterns.push(folder);
  }
  // `s`: a path with a newline in its name matches like any other.
  const byPattern = patterns.length > 0 ? picomatch(patterns, { dot: true, nonegate: true, flags: ignoreCase ? "si" : "s" }) : () => false;
  return (path) => isNamed(fold(path), names) || byPattern(path);
}

/** The path itself or a folder above it. */
function isNamed(path: string, names: ReadonlySet<string>): boolean {
  if (names.size === 0) return false;
  for (let end = path.length; end > 0; end = path.lastIndexOf("/", end - 1)) if (names.has(path.slice(0, end))) return true;
  return false;
}

const withoutRoot = (glob: string): string => glob.replace(/^(\.?\/)+/, "");
const hasWildcard = (glob: string): boolean => /[*?[\]{}()!+@|]/.test(glob.replace(/\\./g, ""));

/** The folder a glob cannot leave, "" when it may match anywhere. */
export function literalBase(glob: string): string {
  const clean = withoutRoot(glob);
  return (hasWildcard(clean) ? picomatch.scan(clean).base : clean).replace(/\\(.)/g, "$1").replace(/\/+$/, "");
}
