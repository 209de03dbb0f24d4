import { StringDecoder } from "node:string_decoder";
import type { SpawnSpec } from "../contract.ts";
import type { EndGrace } from "../host/process.ts";
import type { TranscriptPosition } from "../host/transcript.ts";
import type { AgentErrorCode } from "../errors.ts";
import type { Beat } from "./contract.ts";

/** What a keeper is to do: one JSON text on its stdin, and the end of it. Holds secrets: never in argv, environment or a file. */
export interface Order {
  attempt: string;
  epoch: number;
  home: string;
  /** Of the process it keeps: becomes its working folder. Absolute. */
  folder: string;
  /** Where to listen. Absolute. */
  socket: string;
  spec: SpawnSpec;
  secrets: readonly string[];
  transcriptLimitBytes: number;
  grace: EndGrace;
  beatMs: number;
}

export interface Trouble {
  code: AgentErrorCode;
  message: string;
  hint: string;
}

/** What a keeper prints on stdout, after a line that says that it has taken its order. */
export type Started = { kind: "started" } | { kind: "failed"; trouble: Trouble };

/** From an engine, a line each on the socket. Without a `hello` only `status` is answered. */
export type ToKeeper =
  | { kind: "hello"; epoch: number }
  /** `id`: the same text sent again after a broken connection is written once. `seen`: the last line the engine had read. */
  | { kind: "send"; id: string; seen: number; text: string }
  | { kind: "signal"; signal: "SIGTERM" | "SIGINT" | "SIGKILL" }
  /** Ends the agent: TERM, INT, KILL. */
  | { kind: "end" }
  | { kind: "status" };

export type FromKeeper =
  | { kind: "welcome"; position: TranscriptPosition }
  /** An engine with a higher epoch has the attempt. The connection is closed. */
  | { kind: "superseded"; epoch: number }
  /** The transcript has lines up to here. */
  | { kind: "grown"; position: TranscriptPosition }
  | { kind: "sent"; id: string; trouble?: Trouble }
  | { kind: "status"; beat: Beat }
  /** The exit is on disk. The connection is closed. */
  | { kind: "over" };

export const encode = (message: ToKeeper | FromKeeper | Started | { kind: "taken" }): string => `${JSON.stringify(message)}\n`;

/** Puts JSON lines together from the chunks of a stream. Both ends are ours and of one version, behind a folder of mode 0700. */
export class MessageLines<M> {
  readonly #decoder = new StringDecoder("utf8");
  #rest = "";

  push(chunk: Buffer): M[] {
    const lines = (this.#rest + this.#decoder.write(chunk)).split("\n");
    this.#rest = lines.pop() ?? "";
    return lines.map((line) => JSON.parse(line) as M);
  }
}
