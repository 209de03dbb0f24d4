import { readFileSync } from "node:fs";
import { join } from "node:path";
import { processStartTime } from "../agents/index.ts";
import { parseHolder } from "../fleet/index.ts";

/** Where the server of a home is, for other processes of its user. */
export interface ServerRecord {
  url: string;
  pid: number;
  /** Epoch ms. */
  startedAt: number;
}

export const serverRecordFile = (home: string): string => join(home, "server", "server.json");

/**
 * The server of this home, while its process lives. What a killed one has left names a port that may be somebody else's by now: who asks there shows
 * them a token.
 */
export function readServerRecord(home: string): ServerRecord | undefined {
  try {
    const { url, pid, startedAt, holder } = JSON.parse(readFileSync(serverRecordFile(home), "utf8")) as ServerRecord & { holder: string };
    // By process alone: the name of a laptop changes with its network.
    const startTime = parseHolder(holder)?.startTime;
    return startTime !== undefined && startTime !== "" && processStartTime(pid) === startTime ? { url, pid, startedAt } : undefined;
  } catch {
    return undefined;
  }
}
