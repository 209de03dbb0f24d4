/** Types of the workspace room. Commits are full object ids. Paths inside the repository use `/`. */

export interface WorkspaceRequest {
  runId: string;
  /** The attempt id; names the folder and the snapshot ref. */
  attempt: string;
  /** Commit to start from. */
  from: string;
  /** The attempt after which the folder is named, when it is not this one: it goes on where that one ended. */
  folder?: string;
}

/** A private clone given to one attempt. Everything of it lies under `root`. */
export interface Workspace {
  attempt: string;
  /** `<home>/workspaces/<runId>/<step>-<n>`. */
  root: string;
  /** The work tree an agent works in. Holds a `.git` of its own, which the orchestrator never reads or runs. */
  tree: string;
  /** HOME of the agent. */
  home: string;
  tmp: string;
  from: string;
}

export interface SnapshotRequest {
  workspace: Workspace;
  /** First line of the commit message. */
  title: string;
  /** Globs whose content is taken from `base`, whatever the attempt did there. */
  protected: readonly string[];
  /** The run's base commit. */
  base: string;
  /** Epoch ms, used as author and committer date: the same tree gives the same commit. */
  at: number;
  /** More trailers, e.g. `Stepfall-Agent`. `Stepfall-Attempt` is always there. */
  trailers?: Readonly<Record<string, string>>;
}

/** What an attempt left, as one commit on top of the commit it started from. */
export interface Snapshot {
  /** Absent when the attempt changed nothing that may be kept. */
  commit?: string;
  /** Paths changed against `workspace.from`, sorted. */
  changed: readonly string[];
  /** Protected paths the attempt had changed; their changes are not in the commit. */
  dropped: readonly string[];
  /**
   * Protected paths that differ between `base` and `workspace.from` though this attempt did not touch them (an earlier step did): the
   * commit gives them the content of `base` too, so merging it takes that earlier change back. Empty when `base` is `workspace.from`.
   */
  reverted: readonly string[];
  /** Nested repositories and other things git cannot keep as files, each with the reason. Their attempt must be refused. */
  refused: readonly { path: string; reason: string }[];
}

export interface CheckoutRequest {
  runId: string;
  attempt: string;
  commit: string;
  /** Tells several checkouts of one attempt apart, e.g. `gates`, `merge`; letters, digits, hyphens. */
  purpose: string;
}

/**
 * A clean checkout of one commit; removed by `dispose`. It has a `.git` of its own, so that `git diff` works in it, and nothing
 * written there reaches the project.
 */
export interface Checkout extends AsyncDisposable {
  tree: string;
  home: string;
  tmp: string;
}

export interface RunBranch {
  runId: string;
  /** `stepfall/<runId>`, without `refs/heads/`. */
  name: string;
}

export interface MergeRequest {
  branch: RunBranch;
  attempt: string;
  /** The accepted commit. */
  commit: string;
  /** Tip of the run branch the merge is computed on. */
  onto: string;
  at: number;
  title: string;
}

export type MergeResult =
  | { kind: "merged"; commit: string; /** true when `onto` was the accepted commit's parent */ clean: boolean }
  | { kind: "conflict"; paths: readonly string[]; evidence: string };

export interface DirtySnapshotRequest {
  /** Names the ref: `refs/stepfall/dirty/<runId>`. `releaseSnapshots(runId)` and `cleanRun` with `branch` drop it. */
  runId: string;
  /** Epoch ms. */
  at: number;
}

/** HEAD and what the user had not committed, as one commit on top of HEAD. */
export interface DirtySnapshot {
  commit: string;
  /** Sorted. */
  paths: readonly string[];
  /** What could not be taken along (nested repositories, pipes), each with the reason. */
  leftOut: readonly { path: string; reason: string }[];
}

export type RegularFile = { kind: "file"; bytes: Uint8Array } | { kind: "link" } | { kind: "large" };

export interface DiffStat {
  files: readonly { path: string; added: number; removed: number; binary: boolean }[];
}

/** Where a run's result is in the user's checkout. */
export interface MergedIntoCurrent {
  /** The branch that is checked out. */
  into: string;
  /** Where it stands. */
  commit: string;
  /** It had the result before: nothing was done. */
  already: boolean;
}

/** All git work on one project. Every call rejects with a WorkspaceError. */
export interface Workspaces {
  /** Creates `stepfall/<runId>` at `base`; doing it again with the same base changes nothing. */
  createRunBranch(branch: RunBranch, base: string): Promise<void>;
  /** Tip of the run branch. */
  tip(branch: RunBranch): Promise<string>;

  /** Removes what an earlier process left under the same attempt first. */
  create(request: WorkspaceRequest): Promise<Workspace>;
  /** A workspace that is there already, as it is; `undefined` when it is not. */
  reopen(request: WorkspaceRequest): Promise<Workspace | undefined>;
  /**
   * Commits what the agent left and keeps it under `refs/stepfall/<runId>/<step>/<n>`. May be called again. Changes the work tree
   * only where files cannot be read: it makes them readable.
   */
  snapshot(request: SnapshotRequest): Promise<Snapshot>;
  checkout(request: CheckoutRequest): Promise<Checkout>;
  /** Removes a workspace's folder. Its snapshot ref stays until `releaseSnapshots`. */
  remove(workspace: Pick<Workspace, "root">): Promise<void>;

  /** Computes the merge commit; moves nothing. The same request gives the same commit. */
  prepareMerge(request: MergeRequest): Promise<MergeResult>;
  /** Moves the run branch from `onto` to `commit`, or answers `moved: false` when it stands elsewhere. */
  advance(branch: RunBranch, onto: string, commit: string): Promise<{ moved: boolean; tip: string }>;
  /** Whether `commit` is an ancestor of, or is, `of`. */
  contains(of: string, commit: string): Promise<boolean>;
  /** Drops snapshot refs of the named attempts, or all of the run's. */
  releaseSnapshots(runId: string, attempts?: readonly string[]): Promise<void>;

  /**
   * Commits HEAD plus the user's uncommitted changes (tracked and untracked, not ignored) without touching their index, files or
   * branches. `undefined` when there are none.
   */
  snapshotDirty(request: DirtySnapshotRequest): Promise<DirtySnapshot | undefined>;

  /** Paths in a commit that match the globs (a name without wildcards also names everything in that folder); all when none is given. */
  list(commit: string, globs?: readonly string[]): Promise<string[]>;
  /** Those of the globs that match nothing in a commit. Quicker than `list` for a commit made by this object. */
  missing(commit: string, globs: readonly string[]): Promise<string[]>;
  /** A file's bytes in a commit, `undefined` when it is not there. */
  readFile(commit: string, path: string): Promise<Uint8Array | undefined>;
  /** The same for judging any file there is: links are told apart, and none over `maxBytes` is read. */
  readRegular(commit: string, path: string, maxBytes: number): Promise<RegularFile | undefined>;
  /** Files there in a workspace that match the globs and that .gitignore keeps out of its snapshot. Before `remove`. */
  ignored(workspace: Pick<Workspace, "root">, globs: readonly string[]): Promise<string[]>;
  diffStat(from: string, to: string): Promise<DiffStat>;
  /** A patch. Longer than `maxBytes`, it is cut and says so in its last line. `paths` are names of files or folders, not globs. */
  diff(from: string, to: string, options?: { paths?: readonly string[]; maxBytes?: number }): Promise<string>;

  /** `stepfall merge RUN`: brings the run branch into the branch that is checked out in the user's work tree. */
  mergeIntoCurrent(branch: RunBranch, message: string): Promise<MergedIntoCurrent>;
  /** Removes folders of a run, but those of the attempts in `keep`; with `branch` also its branch and refs. */
  cleanRun(runId: string, options?: { branch?: boolean; keep?: readonly string[] }): Promise<void>;
  /** Ids of runs, of any project, that have folders on disk. */
  listLeftovers(): Promise<string[]>;
  /** Waits for what is under way. */
  close(): Promise<void>;
}
