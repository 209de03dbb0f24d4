import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Role } from "./callers.ts";
import { tokenFile } from "./login.ts";
import { API_PATH } from "./paths.ts";

/** Where the server of a home is, for other processes of its user. */
export interface ServerRecord {
  url: string;
  pid: number;
  /** Epoch ms. */
  startedAt: number;
}

const fileOf = (home: string): string => join(home, "server", "server.json");
const ASK_MS = 10_000;

/** Its folder is there once a server has begun. */
export function writeServerRecord(home: string, record: ServerRecord): void {
  const fresh = `${fileOf(home)}.${record.pid}.new`;
  writeFileSync(fresh, `${JSON.stringify({ version: 1, ...record })}\n`, { mode: 0o600 });
  renameSync(fresh, fileOf(home));
}

export function removeServerRecord(home: string, pid: number): void {
  if (readServerRecord(home)?.pid === pid) rmSync(fileOf(home), { force: true });
}

/** What was last written; the server may be gone. */
export function readServerRecord(home: string): ServerRecord | undefined {
  try {
    const { url, pid, startedAt } = JSON.parse(readFileSync(fileOf(home), "utf8")) as ServerRecord;
    return { url, pid, startedAt };
  } catch {
    return undefined;
  }
}

/** Asks the server of this home for a link that logs a browser in, once; `undefined`: no server answers. `to`: a path of the dashboard. */
export async function askLoginLink(
  home: string,
  { role, to }: { role?: Role | undefined; to?: string | undefined },
): Promise<string | undefined> {
  const record = readServerRecord(home);
  if (!record) return undefined;
  try {
    const token = readFileSync(tokenFile(home, "approver"), "utf8").trim();
    const answer = await fetch(`${record.url}${API_PATH}/login-links`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: JSON.stringify({ role, to }),
      signal: AbortSignal.timeout(ASK_MS),
    });
    if (!answer.ok) return undefined;
    const { url } = (await answer.json()) as { url: string };
    return url;
  } catch {
    return undefined;
  }
}
