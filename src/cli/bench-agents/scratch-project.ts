import { execFile } from "node:child_process";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import type { WorkloadTask } from "../../planning/index.ts";
import { openProject, type Project } from "../../workspace/index.ts";
import type { Cli } from "../cli.ts";
import { BenchError } from "./errors.ts";

export interface ScratchProject {
  project: Project;
  /** The commit each task begins with, by task. The same files are the same commit, whenever and wherever it is made. */
  bases: ReadonlyMap<string, string>;
}

const WHO = { NAME: "Stepfall workload", EMAIL: "workload@localhost", DATE: "2026-01-01T00:00:00Z" };

/**
 * One repository for all tasks of a workload, made when it is not there: each task is a root commit of its own in it, so that no run sees the
 * files of another task. Nothing is checked out.
 */
export async function scratchProject(cli: Cli, folder: string, tasks: readonly WorkloadTask[]): Promise<ScratchProject> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const git = gitIn(cli, folder);
  await git("init", "--quiet", "--initial-branch=main");
  const bases = new Map<string, string>();
  const empty = await git("commit-tree", "-m", "Tasks of a workload", await git("hash-object", "-t", "tree", "-w", "--stdin"));
  await git("update-ref", "refs/heads/main", empty);
  for (const task of tasks) {
    const tree = await treeOf(git, task);
    const commit = await git("commit-tree", "-m", `Before ${task.id}`, tree);
    await git("update-ref", `refs/heads/tasks/${task.id}`, commit);
    bases.set(task.id, commit);
  }
  return { project: await openProject(folder, { env: cli.env }), bases };
}

type Git = (...args: string[]) => Promise<string>;

/** The files of a task as git sees them, through an index and a folder of their own. */
async function treeOf(git: Git, task: WorkloadTask): Promise<string> {
  const scratch = await mkdtemp(join(tmpdir(), "stepfall-task-"));
  try {
    const files = join(scratch, "files");
    await mkdir(files);
    for (const { path, content, isExecutable } of task.files) {
      await mkdir(dirname(join(files, path)), { recursive: true });
      await writeFile(join(files, path), content);
      if (isExecutable) await chmod(join(files, path), 0o755);
    }
    const there = [`--work-tree=${files}`, "-c", "core.autocrlf=false"];
    await git(...there, "read-tree", "--empty");
    // Also what the task's own .gitignore names: it was put there on purpose.
    await git(...there, "add", "--all", "--force", ".");
    return await git("write-tree");
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

function gitIn(cli: Cli, folder: string): Git {
  const identity = Object.entries(WHO).flatMap(([key, value]) => [
    [`GIT_AUTHOR_${key}`, value],
    [`GIT_COMMITTER_${key}`, value],
  ]);
  const env = {
    PATH: cli.env["PATH"],
    HOME: "/dev/null",
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_DIR: join(folder, ".git"),
    // Nothing is checked out, so git's own index stays empty.
    GIT_INDEX_FILE: join(folder, ".git", "index-of-tasks"),
    ...Object.fromEntries(identity),
  };
  return async (...args) => {
    try {
      const running = promisify(execFile)("git", args, { cwd: folder, env });
      running.child.stdin?.end();
      return (await running).stdout.trim();
    } catch (error) {
      throw new BenchError(
        "WORKLOAD_PROJECT",
        `git ${args.find((a) => !a.startsWith("-")) ?? ""} failed in ${folder}: ${(error as Error).message.trim()}`,
        "Remove that folder: it is made anew.",
      );
    }
  };
}
