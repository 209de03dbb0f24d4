/**
 * Git: private workspaces, snapshots, clean checkouts and merges. The user's checkout, branches, index, config and
 * hooks are never touched, but by `mergeIntoBranch`, which a person asks for by name.
 */
export { openProject, type Project, type ProjectFacts } from "./project.ts";
export { WorkspaceError, type WorkspaceErrorCode } from "./errors.ts";
export type {
  Checkout,
  CheckoutRequest,
  MergeRequest,
  MergeResult,
  RunBranch,
  Snapshot,
  SnapshotRequest,
  Workspace,
  WorkspaceRequest,
  Workspaces,
  DiffStat,
} from "./contract.ts";
export { openWorkspaces } from "./workspaces.ts";
