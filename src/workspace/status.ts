/** One path that differs between an index and its work tree. */
export interface StatusEntry {
  /** For people and for globs. */
  path: string;
  /** The very bytes of the name, as latin1: a name need not be UTF-8. */
  bytes: string;
  kind: "tracked" | "untracked" | "unmerged";
  /** A folder that git will not look into: another repository. */
  isNested: boolean;
  /** For `tracked`: mode and blob in the index, and whether the path is gone from the work tree (a link above it counts as gone). */
  mode?: string;
  id?: string;
  isGone?: boolean;
}

/** Reads `git status --porcelain=v2 -z --no-renames`. */
export function parseStatus(output: Buffer): StatusEntry[] {
  const entries: StatusEntry[] = [];
  for (const record of output.toString("latin1").split("\0")) {
    if (record.startsWith("? ")) entries.push(entryOf(record.slice(2), "untracked"));
    // 1 <XY> <sub> <mH> <mI> <mW> <hH> <hI> <path>
    else if (record.startsWith("1 ")) {
      const fields = record.split(" ");
      entries.push({
        ...entryOf(fields.slice(8).join(" "), "tracked"),
        mode: fields[4] ?? "",
        id: fields[7] ?? "",
        isGone: fields[5] === "000000",
      });
    }
    // u <XY> <sub> <m1> <m2> <m3> <mW> <h1> <h2> <h3> <path>
    else if (record.startsWith("u ")) entries.push(entryOf(record.split(" ").slice(10).join(" "), "unmerged"));
  }
  return entries;
}

function entryOf(raw: string, kind: StatusEntry["kind"]): StatusEntry {
  const isNested = raw.endsWith("/");
  const bytes = isNested ? raw.slice(0, -1) : raw;
  return { bytes, path: Buffer.from(bytes, "latin1").toString("utf8"), kind, isNested };
}

/** Splits NUL-separated names. */
export const splitNames = (output: Buffer): string[] =>
  output
    .toString("utf8")
    .split("\0")
    .filter((name) => name !== "");
