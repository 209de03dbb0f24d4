import type { Surroundings } from "../setup/surroundings.ts";
import type { Output } from "./output.ts";

/** What every command is handed. `home` is what `--home` says. */
export interface Cli extends Surroundings {
  out: Output;
  /** Data as JSON on stdout. */
  json: boolean;
  /** A person can be asked: a terminal on both ends, and no `--no-input`. */
  canAsk: boolean;
  /** How a person calls this program, for commands that are printed to be copied. */
  program: string;
}

/** Exit codes, the same for every command. */
export const Exit = {
  ok: 0,
  failed: 1,
  usage: 2,
  waitsForHuman: 3,
  budget: 4,
  interrupted: 130,
} as const;
