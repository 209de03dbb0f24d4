import { closeSync, fdatasync, fstatSync, ftruncateSync, fsyncSync, openSync, readSync, writeSync } from "node:fs";
import { randomUUID } from "node:crypto";
import { dirname } from "node:path";
import { promisify } from "node:util";
import { z } from "zod";
import { Provenance } from "../../domain/index.ts";
import { GatewayError } from "./errors.ts";

const Call = z.object({
  callId: z.string(),
  /** Epoch ms of the reservation, in both records. */
  at: z.number(),
  /** The gateway process that made the call, `pid:startTime`: whether an unsettled call can still be settled. */
  gateway: z.string(),
  /** Tells keys of one attempt apart; a hash, never the key. */
  keyId: z.string(),
  runId: z.string(),
  attempt: z.string(),
  agent: z.string(),
  tier: z.string(),
  provider: z.string(),
  model: z.string(),
  /** Ids of the budgets that pay for it. */
  budgets: z.array(z.string()),
  /** The project it was made for. */
  project: z.string().optional(),
  /** Absent: metered. */
  credentials: z.literal("pass-through").optional(),
});

const Reserved = Call.extend({
  type: z.literal("reserved"),
  inputTokens: z.number().int(),
  maxOutputTokens: z.number().int(),
  microUsd: z.number().int(),
});

export const Outcome = z.enum(["ok", "cancelled", "failed", "refused"]);
export type Outcome = z.infer<typeof Outcome>;

const Settled = Call.extend({
  type: z.literal("settled"),
  provenance: Provenance,
  outcome: Outcome,
  inputTokens: z.number().int(),
  cachedInputTokens: z.number().int(),
  /** Of the input, what was written into the provider's cache; absent: nothing. */
  cacheWriteTokens: z.number().int().optional(),
  /** Of these, what was written for an hour. */
  cacheWriteLongTokens: z.number().int().optional(),
  outputTokens: z.number().int(),
  microUsd: z.number().int(),
  reservedMicroUsd: z.number().int(),
  durationMs: z.number(),
  /** Why it failed or was refused. Masked. */
  error: z.string().optional(),
  /** The budget that refused it. */
  exhausted: z.object({ id: z.string(), limit: z.number(), spent: z.number(), needed: z.number() }).optional(),
  /** The provider's limit that refused it. */
  quota: z.object({ provider: z.string(), model: z.string(), retryAt: z.number() }).optional(),
});

export const SpoolRecord = z.discriminatedUnion("type", [Reserved, Settled]);
export type SpoolRecord = z.infer<typeof SpoolRecord>;
export type ReservedCall = z.infer<typeof Reserved>;
export type SettledCall = z.infer<typeof Settled>;

/** First line of a spool: tells one spool from another that took its place. */
const Header = z.object({ type: z.literal("spool"), id: z.string(), version: z.literal(1) });

/** The record that closes a call whose gateway died: nobody knows what was used, but not more than was reserved. */
export function settledAsUnknown(call: ReservedCall): SettledCall {
  const { type: _, maxOutputTokens, microUsd, ...rest } = call;
  return {
    ...rest,
    type: "settled",
    provenance: "unknown",
    outcome: "failed",
    cachedInputTokens: 0,
    outputTokens: maxOutputTokens,
    microUsd,
    reservedMicroUsd: microUsd,
    durationMs: 0,
    error: "the gateway ended during the call",
  };
}

export interface SpoolScan {
  /** Identity of the spool; `undefined` while it is empty. */
  id: string | undefined;
  /** Byte position behind the last complete line. */
  end: number;
  /** Complete lines that no version of ours wrote, e.g. zeros left by a power failure. */
  garbage: number;
}

export interface SpoolReading extends SpoolScan {
  records: { record: SpoolRecord; /** Byte position of its line. */ at: number }[];
}

/** Reads complete lines from byte `from`; a torn last line is left for later. A spool that does not exist is empty. */
export function readSpool(path: string, from = 0): SpoolReading {
  const records: SpoolReading["records"] = [];
  const scan = scanSpool(path, from, (record, at) => records.push({ record, at }));
  return { ...scan, records };
}

/** The same, record by record: a spool may be larger than what one wants in memory. */
export function scanSpool(path: string, from: number, visit: (record: SpoolRecord, at: number) => void): SpoolScan {
  const scan: SpoolScan = { id: undefined, end: from, garbage: 0 };
  const fd = openForReading(path);
  if (fd === undefined) return scan;
  try {
    scan.id = headerOf(fd)?.id;
    const size = fstatSync(fd).size;
    const buffer = Buffer.alloc(1 << 20);
    let rest: Buffer = Buffer.alloc(0);
    for (let at = from; at < size;) {
      const n = readSync(fd, buffer, 0, buffer.length, at);
      if (n === 0) break;
      at += n;
      rest = Buffer.concat([rest, buffer.subarray(0, n)]);
      let start = 0;
      for (let newline = rest.indexOf(10); newline >= 0; newline = rest.indexOf(10, start)) {
        const record = parseLine(rest.toString("utf8", start, newline));
        if (record === "garbage") scan.garbage += 1;
        else if (record !== "header") visit(record, scan.end);
        scan.end += newline + 1 - start;
        start = newline + 1;
      }
      rest = rest.subarray(start);
    }
    return scan;
  } finally {
    closeSync(fd);
  }
}

/** Identity of a spool; `undefined` while there is none. */
export function spoolIdOf(path: string): string | undefined {
  const fd = openForReading(path);
  if (fd === undefined) return undefined;
  try {
    return headerOf(fd)?.id;
  } finally {
    closeSync(fd);
  }
}

function parseLine(line: string): SpoolRecord | "header" | "garbage" {
  try {
    const json = JSON.parse(line) as { type?: unknown } | null;
    if (json?.type === "spool") return "header";
    const record = SpoolRecord.safeParse(json);
    return record.success ? record.data : "garbage";
  } catch {
    return "garbage";
  }
}

function openForReading(path: string): number | undefined {
  try {
    return openSync(path, "r");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new GatewayError("GATEWAY_SPOOL", `The spool ${path} cannot be read.`, "Check the permissions of its folder.", { cause });
  }
}

function headerOf(fd: number): z.infer<typeof Header> | undefined {
  const head = Buffer.alloc(256);
  const text = head.subarray(0, readSync(fd, head, 0, head.length, 0)).toString("utf8");
  const newline = text.indexOf("\n");
  if (newline < 0) return undefined;
  try {
    return Header.parse(JSON.parse(text.slice(0, newline)));
  } catch {
    return undefined;
  }
}

/**
 * Writes the spool; one process at a time, the gateway that holds the home's lock. Each record is one line and one write call; a settlement
 * is on disk (fdatasync, shared by those that wait at the same time) before `settled` resolves. The spool grows by about a kilobyte a call
 * and is not rotated: a hundred thousand calls are 100 MB, which each start of the gateway reads once, in about two seconds. Remove the file while no gateway runs to
 * start over; the ledger keeps what it imported.
 */
export class SpoolWriter {
  readonly #fd: number;
  readonly #path: string;
  #size: number;
  #syncing: Promise<void> | undefined;
  #next: Promise<void> | undefined;

  /** Opens the spool, makes it if need be, shows what is in it to `visit`, and cuts a torn last line off. */
  constructor(path: string, visit: (record: SpoolRecord) => void = () => undefined) {
    this.#path = path;
    const whole = scanSpool(path, 0, visit);
    if (whole.id === undefined && whole.end > 0)
      throw new GatewayError("GATEWAY_SPOOL", `${path} does not begin like a spool.`, "Move it away, then start again.");
    this.#fd = openSync(path, "a", 0o600);
    this.#size = whole.id === undefined ? 0 : whole.end;
    ftruncateSync(this.#fd, this.#size);
    if (whole.id !== undefined) return;
    this.#write(JSON.stringify({ type: "spool", id: randomUUID(), version: 1 }));
    fsyncSync(this.#fd);
    const folder = openSync(dirname(path), "r");
    fsyncSync(folder);
    closeSync(folder);
  }

  reserved(record: ReservedCall): void {
    this.#write(JSON.stringify(record));
  }

  async settled(record: SettledCall): Promise<void> {
    this.#write(JSON.stringify(record));
    await this.sync();
  }

  /** Everything written before the call is on disk when it resolves. */
  sync(): Promise<void> {
    if (!this.#syncing) {
      this.#syncing = promisify(fdatasync)(this.#fd).finally(() => (this.#syncing = undefined));
      return this.#syncing;
    }
    // The one under way may have begun before our line was written.
    this.#next ??= this.#syncing
      .catch(() => undefined)
      .then(() => {
        this.#next = undefined;
        return this.sync();
      });
    return this.#next;
  }

  async close(): Promise<void> {
    await this.sync();
    closeSync(this.#fd);
  }

  #write(line: string): void {
    const bytes = Buffer.from(`${line}\n`, "utf8");
    let problem: unknown;
    try {
      if (writeSync(this.#fd, bytes) === bytes.length) {
        this.#size += bytes.length;
        return;
      }
    } catch (cause) {
      problem = cause;
    }
    // A part of a line would swallow the next one.
    ftruncateSync(this.#fd, this.#size);
    throw new GatewayError("GATEWAY_SPOOL", `The spool ${this.#path} cannot be written.`, "Free some space on its disk.", {
      cause: problem,
    });
  }
}
