import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { openSqliteStore } from "./open.ts";

const CHILD = fileURLToPath(new URL("./crash.child.ts", import.meta.url));

interface Acknowledged {
  stream: string;
  version: number;
  ids: string[];
}

/** Lets a child commit, kills it some milliseconds after its first answer, and tells what it had been promised. */
async function commitAndKill(file: string, round: number): Promise<Acknowledged[]> {
  const child = spawn(process.execPath, [CHILD, file, String(round)], { stdio: ["ignore", "pipe", "inherit"] });
  const closed = once(child, "close");
  let said = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => (said += chunk));
  await once(child.stdout, "data");
  await new Promise((resolve) => setTimeout(resolve, Math.random() * 150));
  child.kill("SIGKILL");
  expect(await closed).toEqual([null, "SIGKILL"]);
  const lines = said.slice(0, said.lastIndexOf("\n")).split("\n");
  return lines.map((line) => {
    const [stream, version, ...ids] = line.split(" ");
    return { stream: stream!, version: Number(version), ids };
  });
}

test("kill -9 at any moment loses nothing that was acknowledged, doubles nothing, and leaves no commit in halves", async () => {
  const folder = await mkdtemp(join(tmpdir(), "stepfall-crash-"));
  const file = join(folder, "store.db");
  try {
    const acknowledged: Acknowledged[] = [];
    for (let round = 0; round < 8; round++) {
      acknowledged.push(...(await commitAndKill(file, round)));
      const store = await openSqliteStore({ file, clock: { now: () => 0 } });
      const events = await store.readAll();
      const byStream = Map.groupBy(events, (event) => event.stream);
      for (const recorded of byStream.values()) {
        expect(recorded.map((event) => event.version)).toEqual(recorded.map((_, i) => i + 1));
      }
      const stepOf = (event: (typeof events)[number] | undefined) => event?.event.data && (event.event.data as { step: string }).step;
      for (const { stream, version, ids } of acknowledged) {
        expect(
          byStream
            .get(stream)!
            .slice(version - ids.length, version)
            .map(stepOf),
        ).toEqual(ids);
      }
      expect(new Set(events.map(stepOf)).size).toBe(events.length);
      // The queue entry came with its events or not at all: the first id of each commit ends in ".0".
      const commits = events.filter((event) => stepOf(event)!.endsWith(".0"));
      expect((await store.queueStats()).queued).toBe(commits.length);
      await store.close();
    }
    expect(acknowledged.length).toBeGreaterThan(100);
    const db = new DatabaseSync(file);
    expect(db.prepare("PRAGMA integrity_check").get()).toEqual({ integrity_check: "ok" });
    expect(db.prepare("SELECT sum(rank) AS events FROM queue").get()).toEqual(db.prepare("SELECT count(*) AS events FROM events").get());
    db.close();
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
