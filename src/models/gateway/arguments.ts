import { parseArgs } from "node:util";
import type { LogSettings } from "../../config/index.ts";

/** Exit code of a gateway process that found another one at work: nothing is wrong. */
export const alreadyRunning = 75;

/** Makes the program the holder's worker. */
export const workerFlag = "--worker";

/** How a gateway is run. They apply when one is started; a gateway that runs already keeps its own. */
export interface GatewayTuning {
  /** It ends when it was of no use to anybody for this long. Default 15 s. */
  idleMs: number;
  /** How long an upstream may take to its status line. Default 10 minutes: models that think send nothing meanwhile. */
  firstByteMs: number;
  /** How long an upstream may be silent within an answer. Default 3 minutes. */
  upstreamIdleMs: number;
  /** How long a provider that keeps failing is left alone at first. Default 5 s. */
  breakerOpenMs: number;
  /** How long a call is held whose key was open at the gateway before and is not yet opened again. Default 30 s. */
  awaitedMs: number;
  /** How long the port of the gateway before is waited for: a connection may have been given its number meanwhile. Default 3 s. */
  portMs: number;
  /** Largest request, bytes. Default 32 MiB. */
  maxBodyBytes: number;
  /** What it writes into the home's log. Absent: nothing. */
  log?: LogSettings;
}

export const gatewayDefaults: GatewayTuning = {
  idleMs: 15_000,
  firstByteMs: 600_000,
  upstreamIdleMs: 180_000,
  breakerOpenMs: 5_000,
  awaitedMs: 30_000,
  portMs: 3_000,
  maxBodyBytes: 32 << 20,
};

export const gatewayArguments = (home: string, tuning: Partial<GatewayTuning>): string[] => [home, JSON.stringify(tuning)];

export function parseGatewayArguments(argv: readonly string[]): GatewayTuning & { home: string } {
  const { positionals } = parseArgs({ args: [...argv], allowPositionals: true, options: { worker: { type: "boolean" } } });
  const [home, tuning] = positionals;
  if (!home) throw new TypeError("usage: gateway HOME [TUNING-AS-JSON]");
  return { ...gatewayDefaults, ...(JSON.parse(tuning ?? "{}") as Partial<GatewayTuning>), home };
}
