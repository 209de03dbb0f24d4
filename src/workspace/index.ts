/**
 * Git: private workspaces, snapshots, clean checkouts and merges. The user's checkout, branches, index, config and
 * hooks are never touched, but by `mergeIntoCurrent`, which a person asks for by name.
 */
export { openProject, type OpenProjectOptions, type Project, type ProjectFacts } from "./project.ts";
export { GitFailed, WorkspaceError, type WorkspaceErrorCode } from "./errors.ts";
export type {
  Checkout,
  CheckoutRequest,
  DirtySnapshot,
  DirtySnapshotRequest,
  MergeRequest,
  MergeResult,
  RegularFile,
  RunBranch,
  Snapshot,
  SnapshotRequest,
  Workspace,
  WorkspaceRequest,
  Workspaces,
  DiffStat,
} from "./contract.ts";
export { openWorkspaces, type WorkspacesOptions } from "./workspaces.ts";
export { cacheEnvironment } from "./cache.ts";
export { expectManyCommands } from "./runner.ts";
export { diskRoom, formatBytes, workspaceFull, type DiskLimits, type DiskRoom } from "./disk-room.ts";
export { DiskMeter, HOME_KINDS, measureHome, type HomeKind, type HomeUsage } from "./home-usage.ts";
export { freeDisk, measureFolder, type FolderSize, type MeasureOptions } from "./measure.ts";
export { watchSize, type WatchSizeOptions } from "./watch-size.ts";
export {
  cacheFolder,
  leftCheckouts,
  leftWorkspace,
  deleteOurRefs,
  listOurRefs,
  listWorkspaceFolders,
  removeLeftover,
  workspaceFolderName,
  type LeftPlace,
  type OurRef,
  type WorkspaceFolder,
} from "./leftovers.ts";
