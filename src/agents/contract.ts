import type { ConfinedNetwork } from "./sandbox/confinement.ts";
import type { CredentialMode, FailureKind, Finding, Usage, WorkStep } from "../domain/index.ts";

/** What identifies a process for ever: a pid alone is reused. */
export interface ProcessRecord {
  pid: number;
  /** As the system tells it (Linux: clock ticks since boot; macOS: epoch seconds); an opaque string. */
  startTime: string;
  /** Process group, the one that signals go to. */
  pgid: number;
}

export interface SpawnSpec {
  /** Who it belongs to: an attempt id, unique on the machine. Whatever carries it in its environment is ended with the last process of it. */
  attempt: string;
  /** `agent`, `setup`, `gate`: for people and for the file names. */
  role: string;
  /** argv[0] is looked up in the PATH of `env`. */
  argv: readonly [string, ...string[]];
  cwd: string;
  /** The whole environment: nothing is inherited. The host adds only STEPFALL_ATTEMPT, the attempt id. */
  env: Readonly<Record<string, string>>;
  /** Written to stdin, which is then closed. Without it stdin is empty. */
  input?: string;
  /** `open`: stdin stays open after `input`, for `send`. */
  stdin?: "open";
  /** After this the process group is ended: TERM, then INT, then KILL. */
  deadlineMs: number;
  /** Where each output line is appended as NDJSON `{seq, at, stream, text}`. Masked. */
  transcript: string;
  /** Runs the program in a sandbox. Absent: as a process of the user like any other. */
  confine?: Confine;
}

/** How a process is confined: plain data that `confine` makes, for hosts in other processes too. */
export interface Confine {
  /** What comes before the program's own command line. */
  prefix: readonly string[];
  /** Folder for the sockets by which the network comes in; the host that starts the process listens there. */
  bridge: string;
  network: ConfinedNetwork;
  /** Added to the process's environment. */
  env: Readonly<Record<string, string>>;
}

export interface OutputLine {
  seq: number;
  at: number;
  stream: "stdout" | "stderr";
  /** Without its newline, secrets masked; lines over 64 KiB come in pieces. */
  text: string;
}

export type Exit =
  | { kind: "exited"; code: number; durationMs: number }
  | { kind: "signalled"; signal: string; durationMs: number }
  | { kind: "deadline"; durationMs: number }
  | { kind: "aborted"; durationMs: number }
  /** The program could not be started. */
  | { kind: "unstartable"; message: string; durationMs: number }
  /** It wrote more than the transcript may hold. */
  | { kind: "flooded"; durationMs: number };

/** A running agent process. */
export interface AgentHandle {
  /** Pid 0 when nothing could be started (`unstartable`). */
  readonly process: ProcessRecord;
  /** Of a process that was taken up: all that an earlier engine sent to it, in order. `send` skips what is among it. */
  readonly inputs?: readonly string[];
  /** Of a process that was taken up: the last seq on disk then. Lines up to here are told again. */
  readonly caughtUpAt?: number;
  /** Of a process that was taken up: no line after `caughtUpAt` was read yet, so people were told of this before. */
  isReplaying?(): boolean;
  /** Lines from `fromSeq` (default 1) on, ending when the process has ended and all was read. */
  lines(fromSeq?: number): AsyncIterable<OutputLine>;
  /** Writes to stdin, when it was left open. */
  send(text: string): Promise<void>;
  signal(signal: "SIGTERM" | "SIGINT" | "SIGKILL"): void;
  /**
   * Resolves when the whole process group is gone, with how the leader ended. When `signal` aborts, ends it first.
   * Rejects with an AgentError only when the transcript could not be written; the process is gone then, too.
   */
  settle(signal?: AbortSignal): Promise<Exit>;
}

/**
 * Owns agent processes. The local host is their parent; a keeper (see keeper/contract.ts) outlives the engine. A process does not run its
 * program before it is recorded on disk, so a crash never leaves one that nobody knows.
 */
export interface AgentHost {
  spawn(spec: SpawnSpec): Promise<AgentHandle>;
  /** Finds a process again after a restart. The local host answers `undefined`: its processes are ended, not attached. */
  attach(attempt: string, fromSeq: number): Promise<AgentHandle | undefined>;
  /** Ends whatever is left of an attempt's processes, checked by pid and start time. Answers what was ended. */
  endLeftovers(attempt: string): Promise<ProcessRecord[]>;
}

/** What an executor is told of an attempt. */
export interface AttemptTask {
  attempt: string;
  runId: string;
  step: WorkStep;
  /** The prompt with the declared outputs, gates and, on a further try, the findings. Empty for command steps. */
  prompt: string;
  /** Findings of the attempt before, if any. */
  feedback: readonly Finding[];
  /** A session of an earlier attempt at the step that the agent can take up again, with its HOME still there. */
  resume?: string;
}

/** What an agent asks leave for, as it says itself. */
export interface PermissionRequest {
  title: string;
  kind: "read" | "edit" | "delete" | "move" | "execute" | "fetch" | "other";
  /** The command, the paths, the URL. */
  detail?: string;
  /** How often the same was asked for and answered while an earlier engine had the attempt: those answers are used up. Absent: never. */
  before?: number;
}

export type PermissionAnswer = { allow: true } | { allow: false; because: string };

/** What a person says to the agent of a running attempt. */
export interface AgentMessage {
  /** Of the attempt's messages, from 1 on: the same in every engine. */
  n: number;
  by: string;
  text: string;
}

/** What people say to an agent while it works. */
export interface Messages {
  /**
   * Tells every message of the attempt in order: at once what is there, with those that the agent has had from an engine before this one, then
   * each as it comes. Disposing ends it.
   */
  follow(take: (message: AgentMessage) => void): Disposable;
  /** It has reached the agent. Recorded once, however often it is said. */
  delivered(n: number): void;
}

export interface ExecutionContext {
  host: AgentHost;
  /** Absent for executors with `needsWorkspace: false`. */
  workspace?: { tree: string; home: string; tmp: string };
  /** The agent's whole environment but for what the executor adds. No upstream key is in it. */
  env: Readonly<Record<string, string>>;
  transcript: string;
  deadlineMs: number;
  signal: AbortSignal;
  /**
   * Where models are reached, with the attempt's own key. Absent when the agent has no model, and in `direct` mode. `url` is the
   * OpenAI-compatible base (`.../v1`); the other wire formats are at the same origin (see models/gateway/contract.ts).
   */
  gateway?: { url: string; key: string; model: string };
  /** Whose key and login the agent uses. Absent: `metered`. */
  credentials?: CredentialMode;
  /** Decides what the agent asks leave for: by the step's policy, or by a person. Never rejects. Absent: everything is allowed. */
  permit?(request: PermissionRequest, signal: AbortSignal): Promise<PermissionAnswer>;
  /** Only executors of which `takesMessages` holds read them. Absent: there are none. */
  messages?: Messages;
  /** Where the agent finds the tools of its run by MCP (streamable HTTP, see `runTools` in domain). The attempt's own key is in the address. */
  mcp?: { url: string };
  /** A line for people about what is going on, e.g. `edit src/a.ts`. */
  progress(text: string): void;
}

/** Tokens an agent says it used, without a price: where a gateway meters, its figures count, and these only check them. */
export type ReportedTokens = Pick<Usage, "calls" | "inputTokens" | "cachedInputTokens" | "outputTokens">;

export type ExecutionResult = {
  usage?: Usage;
  reported?: ReportedTokens;
  /** What the agent's conversation can be taken up by later, where it can. */
  session?: string;
} & (
  | /** The agent says it is done. Whether it is, the gates tell. */ { kind: "ended"; summary: string }
  | {
      kind: "failed";
      because: FailureKind;
      message: string;
      /** Of kind `quota`: whose limit it is, and when it may go on, epoch ms. */
      quota?: { provider: string; retryAt: number };
    }
  | { kind: "aborted" }
);

export type Preflight = { ok: true; detail: string } | { ok: false; problem: string; hint: string };

/** One way of executing attempts. All pass `conformance.ts`. */
export interface Executor {
  /** `chat`, `shell`, ... */
  readonly kind: string;
  /** False: runs without a workspace, for functions that touch no file. */
  readonly needsWorkspace: boolean;
  /** Whether its agent gets the tools of its run, see `ExecutionContext.mcp`; `perhaps`: where the agent says that it can. Absent: it does not. */
  readonly runTools?: "surely" | "perhaps";
  /** Really starts the agent once. */
  preflight(context: Pick<ExecutionContext, "host" | "env" | "gateway" | "signal"> & { scratch: string }): Promise<Preflight>;
  /** Does not throw for what an agent can do: that is a `failed` result. */
  execute(task: AttemptTask, context: ExecutionContext): Promise<ExecutionResult>;
}
