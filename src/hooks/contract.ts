import type { HookSettings } from "../config/index.ts";
import type { Recorded, RunEvent, RunState } from "../domain/index.ts";

/** How a hook is called: as the settings say, or as a notification. */
export type Call =
  | HookSettings["call"]
  /** notify-send or osascript. */
  | { kind: "desktop" }
  /** A webhook that takes Slack's messages; its URL is the secret of this name. */
  | { kind: "slack"; secret: string };

/** A hook without its filter: what has to be known to call it, in whatever process. Holds no secret. */
export interface Callee {
  name: string;
  call: Call;
  timeoutMs: number;
  retries: number;
  backoffMs: number;
}

/** A hook that can be matched against events. */
export interface Hook extends Callee {
  /** The same for the same hook in every process and run: deliveries of one keep their order. */
  key: string;
  on: ReadonlySet<string> | "*";
  matches(seen: Seen): { ok: true; holds: boolean } | { ok: false; message: string };
  veto?: { onError: "allow" | "refuse" } | undefined;
}

/** An event with the run as it was then. */
export interface Seen {
  recorded: Pick<Recorded, "at" | "version" | "actor" | "stream"> & { globalSeq?: number; event: RunEvent };
  /** Absent: an event of no run. */
  state?: RunState | undefined;
}

/** What a hook is sent, as JSON: on a command's stdin, or as a webhook's body. */
export interface Payload {
  version: 1;
  hook: string;
  /** Of a delivery: the event's place in the journal. A delivery may come twice; this tells. Absent when a hook is asked. */
  globalSeq?: number;
  event: { type: string; data: unknown; at: number; version: number; stream: string; actor: string };
  run: PayloadRun | null;
  step: { path: string; kind: string; status: string; attempts: number; agent: string | null; tier: string | null } | null;
}

export interface PayloadRun {
  id: string;
  pipeline: string;
  project: string;
  branch: string;
  status: "running" | "succeeded" | "failed" | "cancelled";
  startedAt: number;
  endedAt: number | null;
  stepsTotal: number;
  stepsDone: number;
}

/** A delivery that is not done: kept in a file of the home until it is, or until nobody tries any more. */
export interface Letter {
  version: 1;
  /** Its file's name without the ending. */
  id: string;
  key: string;
  callee: Callee;
  /** Absent of an event of no run. */
  runId?: string | undefined;
  /** Top folder of the project: a command runs there. */
  project?: string | undefined;
  payload: Payload;
  tries: number;
  /** Masked. */
  lastError?: string | undefined;
}

/** What calling takes: the world of the process that does it. */
export interface CallingWith {
  /** PATH, HOME and what a desktop needs; no secrets. */
  env: Readonly<Record<string, string>>;
  secret: (name: string) => string | undefined;
  mask: (text: string) => string;
  /** Where commands run when there is no project. */
  cwd: string;
  /** How a person calls this program, in texts of notifications. */
  program: string;
  /** Where the server of this home is reached, when one runs: notifications say where to look. */
  dashboard?: () => string | undefined;
}

/** How one try ended. `detail` is masked. */
export type Called =
  /** `isCut`: it said more than is read. */
  | { kind: "answered"; code: number; body: string; isCut: boolean }
  | { kind: "failed"; detail: string }
  /** This process cannot: another one may. */
  | { kind: "unable"; detail: string };
