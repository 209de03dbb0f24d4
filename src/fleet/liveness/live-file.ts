import { createHash, randomUUID } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { LivenessItem } from "./watch.ts";

/**
 * How a running attempt is, for other processes: one small file per attempt under `<home>/live`, replaced as a whole. It is no record of
 * anything: written while the attempt runs, removed when it is over, and old ones say so by their time.
 */

const Factor = z.object({
  name: z.enum(["repetition", "burn", "silence"]),
  value: z.number(),
  weight: z.number(),
  evidence: z.array(z.string()),
});

const LiveFile = z.object({
  version: z.literal(1),
  kind: z.literal("liveness"),
  at: z.number(),
  attempt: z.string(),
  step: z.string(),
  state: z.enum(["running", "idle", "stuck", "unknown", "dead"]),
  since: z.number(),
  evidence: z.array(z.string()),
  risk: z
    .object({
      score: z.number(),
      factors: z.array(Factor),
      leftOut: z.array(z.object({ name: Factor.shape.name, because: z.string() })),
    })
    .optional(),
});

/** Where the file of an attempt is. Two attempts never share one, also where the file system ignores case. */
export function livePath(home: string, attempt: string): string {
  const readable = attempt.replaceAll(/[^A-Za-z0-9_-]+/g, "_").slice(0, 100);
  return join(home, "live", `${readable}-${createHash("sha256").update(attempt).digest("hex").slice(0, 16)}.json`);
}

/** Replaces the file of the attempt. Throws what the file system throws: nobody's work depends on it, so the caller may pass over it. */
export function writeLive(home: string, item: LivenessItem): void {
  const path = livePath(home, item.attempt);
  mkdirSync(join(home, "live"), { recursive: true, mode: 0o700 });
  const draft = `${path}.${process.pid}-${randomUUID().slice(0, 8)}`;
  try {
    writeFileSync(draft, JSON.stringify({ version: 1, ...item }), { mode: 0o600 });
    renameSync(draft, path);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
}

export function removeLive(home: string, attempt: string): void {
  rmSync(livePath(home, attempt), { force: true });
}

/** Older than this, a file tells how it was and not how it is. Whoever writes does so every few seconds. */
const LIVE_STALE_MS = 30_000;

/** How an attempt is, as its engine last wrote it; `undefined` when nothing was written or it cannot be read. */
export function readLive(home: string, attempt: string, now: number): LivenessItem | undefined {
  try {
    const { version: _, risk, ...item } = LiveFile.parse(JSON.parse(readFileSync(livePath(home, attempt), "utf8")));
    if (item.attempt !== attempt) return undefined;
    if (now - item.at <= LIVE_STALE_MS) return { ...item, ...(risk ? { risk } : {}) };
    // A risk that was is not shown as one that is.
    const seconds = Math.round((now - item.at) / 1000);
    const evidence = [`its engine has not said anything for ${seconds} s`, `then it was ${item.state}: ${item.evidence.join("; ")}`];
    return { ...item, state: "unknown", since: item.at, evidence };
  } catch {
    return undefined;
  }
}
