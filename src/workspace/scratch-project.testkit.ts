import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { openProject, openWorkspaces, type SnapshotRequest, type Workspace, type Workspaces } from "./index.ts";
import { removeTree } from "./remove-tree.ts";

/** A folder of real repositories for one test; everything goes when it is disposed of. */
export class Scratch implements AsyncDisposable {
  readonly root = realpathSync(mkdtempSync(join(tmpdir(), "stepfall-workspace-")));
  readonly home = join(this.root, "stepfall home");
  readonly userHome = join(this.root, "user");
  /** A program of somebody else's config that ran has left its name there. */
  readonly markers = join(this.root, "markers");
  readonly env: Record<string, string> = {
    PATH: process.env.PATH ?? "",
    HOME: this.userHome,
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_AUTHOR_NAME: "User",
    GIT_AUTHOR_EMAIL: "user@localhost",
    GIT_COMMITTER_NAME: "User",
    GIT_COMMITTER_EMAIL: "user@localhost",
  };

  constructor() {
    for (const dir of [this.userHome, this.markers]) mkdirSync(dir);
  }

  path(name: string): string {
    return join(this.root, name);
  }

  git(dir: string, ...args: string[]): string {
    return execFileSync("git", ["-C", dir, ...args], { env: this.env, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }).replace(
      /\n$/,
      "",
    );
  }

  write(dir: string, files: Record<string, string | Uint8Array>): void {
    for (const [name, content] of Object.entries(files)) {
      mkdirSync(dirname(join(dir, name)), { recursive: true });
      writeFileSync(join(dir, name), content);
    }
  }

  /** A repository with one commit. */
  repository(name: string, files: Record<string, string | Uint8Array> = { "README.md": "# demo\n" }, ...init: string[]): string {
    const dir = this.path(name);
    mkdirSync(dir, { recursive: true });
    this.git(dir, "init", "-q", "-b", "main", ...init);
    this.write(dir, files);
    this.commit(dir, "first");
    return dir;
  }

  commit(dir: string, message: string): string {
    this.git(dir, "add", "-A");
    this.git(dir, "commit", "-q", "--allow-empty", "-m", message);
    return this.git(dir, "rev-parse", "HEAD");
  }

  /** A program that leaves a marker when somebody runs it. */
  tripwire(name: string): string {
    const script = join(this.root, `tripwire-${name}`);
    writeFileSync(script, `#!/bin/sh\ntouch '${join(this.markers, name)}'\ncat >/dev/null 2>&1 </dev/null\nexit 0\n`);
    chmodSync(script, 0o755);
    return script;
  }

  marks(): string[] {
    return readdirSync(this.markers).sort();
  }

  async workspaces(dir: string): Promise<{ workspaces: Workspaces; head: string; dir: string }> {
    const project = await openProject(dir, { env: this.env });
    return { workspaces: openWorkspaces({ project, home: this.home }), head: project.head, dir };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await removeTree(this.root, dirname(this.root));
  }
}

export const at = Date.UTC(2026, 0, 2, 3, 4, 5, 678);

export const snapshotOf = (workspace: Workspace, change: Partial<SnapshotRequest> = {}): SnapshotRequest => ({
  workspace,
  title: "work",
  protected: [],
  base: workspace.from,
  at,
  ...change,
});

/** Every file below a folder with its content, mode and kind: two equal answers mean that nothing has changed. */
export function contentsOf(dir: string, skip: (path: string) => boolean = () => false): Record<string, string> {
  const out: Record<string, string> = {};
  const walk = (path: string): void => {
    for (const entry of readdirSync(join(dir, path), { withFileTypes: true })) {
      const name = path ? `${path}/${entry.name}` : entry.name;
      if (skip(name)) continue;
      const { mode, mtimeMs } = lstatSync(join(dir, name));
      if (entry.isDirectory()) walk(name);
      else if (entry.isSymbolicLink()) out[name] = `-> ${readlinkSync(join(dir, name))}`;
      else out[name] = `${mode.toString(8)} ${mtimeMs} ${readFileSync(join(dir, name)).toString("base64")}`;
    }
  };
  if (existsSync(dir)) walk("");
  return out;
}
