import { writeSync } from "node:fs";
import { openSqliteStore } from "./open.ts";

/**
 * Started by crash.test.ts and killed at a random moment: commits as fast as it can and says on stdout what was
 * acknowledged, `stream version id id ...` a line. Each commit of n events also queues one entry of rank n.
 */
const [file, round] = process.argv.slice(2) as [string, string];
const store = await openSqliteStore({ file, clock: { now: () => 0 } });

const write = async (stream: string, burst: number): Promise<void> => {
  let version = (await store.read(stream)).length;
  for (let n = 0; ; n++) {
    const ids = Array.from({ length: 1 + (n % burst) }, (_, i) => `${stream}.${round}.${n}.${i}`);
    const events = ids.map((id) => ({ event: { type: "StepCompleted" as const, data: { step: id, attempt: id } }, at: n, actor: "child" }));
    const queued = { id: ids[0]!, runId: "r", agents: ["a"], priority: 0, rank: ids.length, enqueuedAt: n };
    const done = await store.commit({ appends: [{ stream, expected: version, events }], enqueue: [queued] });
    version = done.versions[stream]!;
    // Synchronous, so that nothing acknowledged is lost with the process.
    writeSync(1, `${stream} ${version} ${ids.join(" ")}\n`);
  }
};

await Promise.all([1, 2, 3, 7, 40].map((burst) => write(`run:${burst}`, burst)));
