import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, renameSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ProcessRecord } from "../contract.ts";
import { AgentError } from "../errors.ts";

/** What is on disk about a process before its program may run. */
export interface StoredProcess extends ProcessRecord {
  role: string;
  attempt: string;
  argv0: string;
}

/** Checked by hand: keepers load this file, and a schema library would add some 19 MB to each. */
function storedProcess(value: unknown): StoredProcess | undefined {
  const { pid, startTime, pgid, role, attempt, argv0 } = value as Record<string, unknown>;
  if (!isProcessRecord({ pid, startTime, pgid })) return undefined;
  if (typeof role !== "string" || typeof attempt !== "string" || typeof argv0 !== "string") return undefined;
  return { pid: pid as number, startTime: startTime as string, pgid: pgid as number, role, attempt, argv0 };
}

/** Whether a value read from disk names a process. */
export function isProcessRecord(value: unknown): value is ProcessRecord {
  if (typeof value !== "object" || value === null) return false;
  const { pid, startTime, pgid } = value as Record<string, unknown>;
  const isId = (id: unknown): boolean => typeof id === "number" && Number.isInteger(id) && id > 0;
  return isId(pid) && isId(pgid) && typeof startTime === "string" && startTime !== "";
}

/** An attempt id as one folder name: readable, never `.` or `..`, never too long, and no two ids share one. */
export function folderOf(attempt: string): string {
  const escaped = (attempt || " ").replaceAll(/[^A-Za-z0-9_.-]|^\.+/gu, (bad) =>
    [...Buffer.from(bad)].map((byte) => `%${byte.toString(16).padStart(2, "0")}`).join(""),
  );
  if (escaped.length <= 180) return escaped;
  return `${escaped.slice(0, 140)}-${createHash("sha256").update(attempt).digest("hex").slice(0, 32)}`;
}

/** The record files of a home: `<home>/processes/<attempt>/<pid>.json`. */
export class ProcessRecords {
  readonly #root: string;
  constructor(home: string) {
    this.#root = join(home, "processes");
  }

  #folder = (attempt: string): string => join(this.#root, folderOf(attempt));

  /** No fsync: it must survive the end of this process, not of the machine, which ends the recorded one too. */
  write(record: StoredProcess): void {
    const folder = this.#folder(record.attempt);
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      const path = join(folder, `${record.pid}.json`);
      writeFileSync(`${path}.new`, JSON.stringify(record), { mode: 0o600 });
      renameSync(`${path}.new`, path);
    } catch (cause) {
      rmSync(join(folder, `${record.pid}.json.new`), { force: true });
      this.remove(record.attempt, record.pid);
      throw new AgentError(
        "AGENT_RECORD_IO",
        `the process of ${record.attempt} could not be put on record: ${(cause as Error).message}`,
        "Check that STEPFALL_HOME is writable and has space left.",
        { cause },
      );
    }
  }

  /** Records that cannot be read are left out: they were cut short by a crash, before `go`, so their program never ran. */
  read(attempt: string): StoredProcess[] {
    const folder = this.#folder(attempt);
    return names(folder).flatMap((name) => {
      if (!name.endsWith(".json")) return [];
      try {
        const record = storedProcess(JSON.parse(readFileSync(join(folder, name), "utf8")));
        return record?.attempt === attempt ? [record] : [];
      } catch {
        return [];
      }
    });
  }

  remove(attempt: string, pid: number): void {
    rmSync(join(this.#folder(attempt), `${pid}.json`), { force: true });
    this.removeEmpty(attempt);
  }

  /** What is left of a process that was killed between its last record and the folder around it. */
  removeEmpty(attempt: string): void {
    try {
      rmdirSync(this.#folder(attempt));
    } catch {
      // another process of the attempt is on record, or nothing is there
    }
  }

  removeAll(attempt: string): void {
    rmSync(this.#folder(attempt), { recursive: true, force: true });
  }
}

function names(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
