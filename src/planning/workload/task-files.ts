import { lstatSync, readdirSync, readFileSync, realpathSync, type Stats } from "node:fs";
import { isAbsolute, join, relative, sep } from "node:path";
import { shapeProblems, type YamlSource } from "../../config/index.ts";
import type { TaskFile, WorkloadProblem } from "./contract.ts";
import { InlinePath } from "./shape.ts";

const MOST_FILES = 2000;
const MOST_BYTES = 20 * 1024 * 1024;

export type ReadFiles = { ok: true; files: TaskFile[] } | { ok: false; problems: WorkloadProblem[] };

/** What a task begins with: texts in the workload itself, or a folder below the one the workload lies in. */
export function taskFiles(
  source: YamlSource,
  at: readonly string[],
  value: string | Readonly<Record<string, string>>,
  base: string,
): ReadFiles {
  if (typeof value === "string") return folderFiles(source, at, value, base);
  const problems: WorkloadProblem[] = [];
  const files: TaskFile[] = [];
  for (const path of source.keys(at)) {
    const checked = InlinePath.safeParse(path);
    if (!checked.success) problems.push(...shapeProblems(source, [...at, path], checked.error));
    else files.push({ path: path.replace(/^\.\//, ""), content: Buffer.from(value[path] ?? ""), isExecutable: false });
  }
  return problems.length > 0 ? { ok: false, problems } : { ok: true, files };
}

function folderFiles(source: YamlSource, at: readonly string[], value: string, base: string): ReadFiles {
  const no = (code: "BAD_PATH" | "FILE_MISSING" | "FILE_TOO_LARGE", message: string, hint: string): ReadFiles => ({
    ok: false,
    problems: [source.problem(code, at, message, hint)],
  });
  const folder = join(base, value);
  const outside = (path: string): boolean => path === ".." || path.startsWith(`..${sep}`) || isAbsolute(path);
  if (isAbsolute(value) || outside(relative(base, folder)))
    return no("BAD_PATH", `The folder ${value} is not beside the workload`, "Put it below the folder of the workload");
  const stat = statOf(folder);
  if (!stat?.isDirectory())
    return no("FILE_MISSING", `There is no folder ${value} beside the workload`, "Make it, or write the files as a map");
  if (outside(relative(realpathSync(base), realpathSync(folder))))
    return no("BAD_PATH", `The folder ${value} leads out of the workload's folder`, "Copy the files instead of linking them");

  const files: TaskFile[] = [];
  let bytes = 0;
  const open = [""];
  for (let inner = open.pop(); inner !== undefined; inner = open.pop()) {
    for (const entry of readdirSync(join(folder, inner), { withFileTypes: true })) {
      const path = inner === "" ? entry.name : `${inner}/${entry.name}`;
      if (entry.name === ".git")
        return no("BAD_PATH", `The folder ${value} holds a git repository`, "Remove .git: each task gets one of its own");
      if (entry.isDirectory()) open.push(path);
      else if (!entry.isFile()) return no("BAD_PATH", `${value}/${path} is neither a file nor a folder`, "Copy what a link leads to");
      else {
        const content = readFileSync(join(folder, path));
        files.push({ path, content, isExecutable: ((statOf(join(folder, path))?.mode ?? 0) & 0o100) !== 0 });
        bytes += content.length;
      }
      if (files.length > MOST_FILES || bytes > MOST_BYTES)
        return no(
          "FILE_TOO_LARGE",
          `The folder ${value} holds more than ${MOST_FILES} files or 20 MiB`,
          "Leave out what can be installed by `setup`",
        );
    }
  }
  return { ok: true, files: files.toSorted((a, b) => (a.path < b.path ? -1 : 1)) };
}

function statOf(path: string): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false });
}
