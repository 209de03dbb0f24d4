import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { thisHolder } from "../setup/identity.ts";
import { readServerRecord, serverRecordFile, type ServerRecord } from "../setup/server-record.ts";
import type { Role } from "./callers.ts";
import { tokenFile } from "./login.ts";
import { API_PATH } from "./paths.ts";

export { readServerRecord, type ServerRecord };

const ASK_MS = 10_000;

/** Of this process. Its folder is there once a server has begun. */
export function writeServerRecord(home: string, { url, startedAt }: Pick<ServerRecord, "url" | "startedAt">): void {
  const fresh = `${serverRecordFile(home)}.${process.pid}.new`;
  writeFileSync(fresh, `${JSON.stringify({ version: 1, url, pid: process.pid, startedAt, holder: thisHolder() })}\n`, { mode: 0o600 });
  renameSync(fresh, serverRecordFile(home));
}

/** That of this process. */
export function removeServerRecord(home: string): void {
  if (readServerRecord(home)?.pid === process.pid) rmSync(serverRecordFile(home), { force: true });
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
