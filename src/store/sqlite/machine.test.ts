import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { entry } from "../conformance/fixture.ts";
import { openSqliteStore } from "./open.ts";

const CHILD = fileURLToPath(new URL("./machine.child.ts", import.meta.url));
const SLOTS = 3;

test("four processes share the slots of their machine; one is killed, its slots come back when its leases run out", async () => {
  const folder = await mkdtemp(join(tmpdir(), "stepfall-machine-"));
  const file = join(folder, "store.db");
  const clock = { now: () => Date.now() };
  const store = await openSqliteStore({ file, clock });
  const children = [1, 2, 3, 4].map((n) =>
    spawn(process.execPath, [CHILD, file, `node-${n}`, String(SLOTS)], { stdio: ["ignore", "pipe", "inherit"] }),
  );
  try {
    const ids = Array.from({ length: 150 }, (_, i) => `r/${i}#1`);
    const done: string[] = [];
    const ended = children.map((child) => {
      child.stdout.setEncoding("utf8").on("data", (text: string) => done.push(...text.trim().split("\n")));
      return once(child, "close");
    });
    const areReady = (): boolean => done.filter((line) => line === "ready").length === children.length;
    while (!areReady()) await wait(10);
    done.length = 0;
    await store.commit({ enqueue: ids.map((id) => entry(id)) });
    // Each look is one transaction, so it shows what was held at one instant.
    const seen: number[] = [];
    const holders = new Set<string>();
    const look = async (): Promise<void> => {
      const live = (await store.leases("r/")).filter(({ until }) => until > clock.now());
      seen.push(live.length);
      for (const { holder } of live) holders.add(holder);
    };
    let isOver = false;
    const all = Promise.all(ended).finally(() => (isOver = true));
    let killed: number | undefined;
    while (!isOver) {
      await look();
      if (killed === undefined && done.length > 50 && (await store.leases("r/")).some(({ holder }) => holder === "node-1")) {
        children[0]!.kill("SIGKILL");
        killed = seen.length;
      }
      await wait(1);
    }
    await all;
    expect(killed).toBeDefined();
    expect(Math.max(...seen)).toBe(SLOTS);
    expect([...holders].toSorted()).toEqual(["node-1", "node-2", "node-3", "node-4"]);
    // One that was settled just before the kill may not have been said.
    expect(new Set(done).size).toBe(done.length);
    expect(done.length).toBeGreaterThanOrEqual(ids.length - 1);
    expect(await store.queueStats()).toEqual({ queued: 0, leased: 0 });
  } finally {
    for (const child of children) child.kill("SIGKILL");
    await store.close();
    await rm(folder, { recursive: true, force: true });
  }
});
