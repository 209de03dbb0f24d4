/** What `gc` looks for. */
export type OrphanKind = "workspace" | "process" | "refs" | "socket" | "gateway" | "ports" | "temp" | "cache" | "transcripts";

/** Something of Stepfall's that nobody needs any more. */
export interface Orphan {
  kind: OrphanKind;
  /** The folder, the process, the refs, in words that name it. */
  what: string;
  why: string;
  /** On disk; absent where it takes none, or nobody knows. */
  bytes?: number;
  /** Looks again, right before it is removed: a run may have begun, or have been taken up, since. */
  isStill: () => Promise<boolean>;
  remove: () => Promise<void>;
}

/** What looks like an orphan and is left alone. */
export interface Kept {
  what: string;
  why: string;
}

export interface Found {
  orphans: Orphan[];
  kept: Kept[];
}
