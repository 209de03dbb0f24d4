import type { AgentStep, FailureKind } from "../../domain/index.ts";
import type { ReportedTokens } from "../contract.ts";

/** What an agent may do without anybody being asked: a command line agent asks nobody, so `ask` is refused before it starts. */
export type Permissions = Exclude<NonNullable<AgentStep["permissions"]>, "ask">;

export interface CommandRequest {
  permissions: Permissions;
  /** A session to take up again. */
  resume?: string | undefined;
  /** Most turns, where the program can be told. */
  maxTurns?: number | undefined;
}

/** How it went, as the last event of the protocol says. */
export type Ending =
  | { kind: "ended"; summary: string }
  | { kind: "failed"; because: FailureKind; message: string }
  /** The session to be resumed is not there; nothing was done. */
  | { kind: "no-session"; message: string };

/** Makes sense of one process's output. */
export interface Reader {
  /** An event: one line of stdout that holds a JSON object. Answers what to tell people. */
  event(event: object): readonly string[];
  /** A line that is no event: of stderr, or a malformed one. */
  noise(line: string): void;
  readonly session: string | undefined;
  /** `undefined` while no last event came. */
  ending(): Ending | undefined;
  /** As the agent's own events say; `undefined` when they said nothing. Asked for once the process is gone. */
  reported(): ReportedTokens | undefined;
}

/** One program's command line and output. */
export interface Dialect {
  /** What follows the preset's arguments; the prompt comes on stdin. */
  args(request: CommandRequest): readonly string[];
  /** Made before the process starts. `env`: its environment, to find what it keeps on disk. */
  reader(request: { resume?: string | undefined; env: Readonly<Record<string, string>> }): Reader;
}
